//! The table of libraries in docs/simulator.md: what each was seen to do, and nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    sync::Mutex,
};

use crate::house::{Outcome, repository};

const BEGIN: &str = "<!-- capabilities: made by the proofs -->\n";
const END: &str = "<!-- capabilities: end -->\n";
/// Of the row of versions.
const VERSION: &str = "version";
const COMMAND: &str =
    "UPDATE_FIXTURES=1 cargo test --workspace --test libraries -- --test-threads 1";

/// One library's column: what it is called in the table, and what stands there.
#[derive(Debug, Default)]
pub(crate) struct Column {
    cells: BTreeMap<String, String>,
}

impl Column {
    /// What a proof printed: `@version 1.2.3`, and `@proved …` of each thing that it did.
    pub(crate) fn of_output(said: &str) -> Self {
        let mut column = Self::default();
        for line in said.lines() {
            if let Some(version) = line.strip_prefix("@version ") {
                column.is_of_version(version);
            } else if let Some(capability) = line.strip_prefix("@proved ") {
                column.proves(capability);
            }
        }
        column
    }

    pub(crate) fn is_of_version(&mut self, version: &str) {
        self.cells.insert(VERSION.to_owned(), version.to_owned());
    }

    pub(crate) fn proves(&mut self, capability: &str) {
        self.cells.insert(capability.to_owned(), "yes".to_owned());
    }

    /// The committed table says the same of the library, or is made to.
    pub(crate) fn must_stand_under(&self, library: &str) -> Outcome {
        // Proofs end side by side, and each writes its own column.
        static ONE_WRITER: Mutex<()> = Mutex::new(());
        let page = page();
        let guard = ONE_WRITER.lock();
        let text = fs::read_to_string(&page)?;
        let (before, rest) = text.split_once(BEGIN).ok_or("the page has no table")?;
        let (table, after) = rest.split_once(END).ok_or("the table has no end")?;
        let mut table = Table::read(table);
        let stands = table.column(library);
        if stands == self.cells {
            return Ok(());
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "a switch for who changes what a library can do on purpose"
        )]
        let refreshed = std::env::var_os("UPDATE_FIXTURES").is_some();
        if !refreshed {
            let found = &self.cells;
            return Err(format!(
                "docs/simulator.md says {stands:?} of {library}, and its proof {found:?}: \
                 refresh the table with `{COMMAND}`"
            )
            .into());
        }
        table.set_column(library, &self.cells);
        let text = format!("{before}{BEGIN}{}{END}{after}", table.write());
        fs::write(page, text)?;
        drop(guard);
        Ok(())
    }
}

fn page() -> PathBuf {
    repository().join("docs/simulator.md")
}

/// Rows in their order, each with its cells by library.
#[derive(Debug, Default, PartialEq)]
struct Table {
    libraries: BTreeSet<String>,
    rows: Vec<(String, BTreeMap<String, String>)>,
}

impl Table {
    fn read(text: &str) -> Self {
        let cells = |line: &str| -> Vec<String> {
            let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
            inner
                .split('|')
                .map(|cell| cell.trim().to_owned())
                .collect()
        };
        let mut lines = text.lines();
        let head = lines.next().map(cells).unwrap_or_default();
        let libraries: Vec<_> = head.into_iter().skip(1).collect();
        let rows = lines.skip(1).map(|line| {
            let mut cells = cells(line).into_iter();
            let name = cells.next().unwrap_or_default();
            let said = libraries.iter().cloned().zip(cells);
            (name, said.filter(|(_, cell)| !cell.is_empty()).collect())
        });
        let rows = rows.collect();
        Self {
            libraries: libraries.into_iter().collect(),
            rows,
        }
    }

    fn write(&self) -> String {
        let line = |name: &str, cells: Vec<&str>| format!("| {name} | {} |\n", cells.join(" | "));
        let heads: Vec<_> = self.libraries.iter().map(String::as_str).collect();
        let rule = "|---".repeat(heads.len() + 1);
        let rows = self.rows.iter().map(|(name, said)| {
            let cell = |library| said.get(library).map_or("", String::as_str);
            line(name, self.libraries.iter().map(cell).collect())
        });
        format!("{}{rule}|\n{}", line("", heads), rows.collect::<String>())
    }

    fn column(&self, library: &str) -> BTreeMap<String, String> {
        let said = self.rows.iter().filter_map(|(name, said)| {
            let cell = said.get(library)?;
            Some((name.clone(), cell.clone()))
        });
        said.collect()
    }

    /// What no library does any more has no row.
    fn set_column(&mut self, library: &str, cells: &BTreeMap<String, String>) {
        self.libraries.insert(library.to_owned());
        for (name, said) in &mut self.rows {
            match cells.get(name) {
                Some(cell) => said.insert(library.to_owned(), cell.clone()),
                None => said.remove(library),
            };
        }
        for (name, cell) in cells {
            if !self.rows.iter().any(|(known, _)| known == name) {
                let said = BTreeMap::from([(library.to_owned(), cell.clone())]);
                self.rows.push((name.clone(), said));
            }
        }
        self.rows.retain(|(_, said)| !said.is_empty());
        self.rows.sort_by_key(|(name, _)| name != VERSION);
    }
}

#[test]
fn a_column_is_put_in_and_found_again() {
    let mut table = Table::default();
    let one = Column::of_output("@version 1.0\n  chatter\n@proved voice\n@proved polls\n");
    let other = Column::of_output("@proved voice\n@version 2.0\n");
    table.set_column("one", &one.cells);
    table.set_column("other", &other.cells);
    let read = Table::read(&table.write());
    assert_eq!(read, table);
    assert_eq!(read.column("one"), one.cells);
    assert_eq!(read.column("other"), other.cells);
    table.set_column("one", &other.cells);
    assert!(
        !table.write().contains("polls"),
        "nobody has polls any more"
    );
}
