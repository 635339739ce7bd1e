//! Tables of viewers, which may come in parts.

use crate::frame::ViewerTable;

/// More rooms than this in one table end the attachment. Each stream counts for eight rooms at most,
/// so an honest web role would need 32,000 streams, each on pages of its own.
pub const MOST_VIEWED_ROOMS: usize = 1 << 18;

/// The table that is not whole yet, if one has begun.
#[derive(Debug, Default)]
pub(super) struct ViewerTableParts {
    begun: Option<ViewerTable>,
}

/// A table has more than [`MOST_VIEWED_ROOMS`].
#[derive(Debug)]
pub(super) struct TooManyRooms;

impl ViewerTableParts {
    /// Takes a part. Returns the table once it is whole.
    pub(super) fn take(
        &mut self,
        part: ViewerTable,
        more: bool,
    ) -> Result<Option<ViewerTable>, TooManyRooms> {
        let table = match self.begun.take() {
            Some(mut begun) if begun.instance == part.instance => {
                begun.rooms.extend(part.rooms);
                begun
            }
            // Another process behind the same connection is not what a web role is.
            Some(_) | None => part,
        };
        if table.rooms.len() > MOST_VIEWED_ROOMS {
            return Err(TooManyRooms);
        }
        if more {
            self.begun = Some(table);
            return Ok(None);
        }
        Ok(Some(table))
    }
}
