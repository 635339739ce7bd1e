//! Files that embeds show: `attachment://name` becomes the address of a file of the message,
//! which then stands among its attachments no more.

use serde_json::Value;

/// Where an embed names a picture, below which of its fields.
const PICTURES: [(&str, &str); 4] = [
    ("image", "url"),
    ("thumbnail", "url"),
    ("author", "icon_url"),
    ("footer", "icon_url"),
];

/// Gives embeds the addresses of the files that they name. What no file is called stays.
pub(super) fn move_into_embeds(files: &mut Vec<Value>, embeds: &mut [Value]) {
    let mut shown = Vec::new();
    for embed in embeds {
        for (part, field) in PICTURES {
            let Some(address) = embed.get_mut(part).and_then(|part| part.get_mut(field)) else {
                continue;
            };
            let name = address
                .as_str()
                .and_then(|text| text.strip_prefix("attachment://"));
            let file = name.and_then(|name| files.iter().find(|file| file["filename"] == name));
            if let Some(file) = file {
                *address = file["url"].clone();
                shown.push(file["id"].clone());
            }
        }
    }
    files.retain(|file| !shown.contains(&file["id"]));
}
