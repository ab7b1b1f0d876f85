//! Rows in the text format of COPY, and the temporary tables that take them.

use crate::feed::folder::hex;

/// Rows that are gathered for one COPY.
#[derive(Debug, Default)]
pub struct Rows {
    text: Vec<u8>,
    count: usize,
}

impl Rows {
    /// Adds a row; `None`: NULL.
    pub fn put<'c>(&mut self, cells: impl IntoIterator<Item = Option<&'c str>>) {
        for (index, cell) in cells.into_iter().enumerate() {
            if index > 0 {
                self.text.push(b'\t');
            }
            match cell {
                Some(cell) => escape(cell, &mut self.text),
                None => self.text.extend_from_slice(b"\\N"),
            }
        }
        self.text.push(b'\n');
        self.count += 1;
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn text(&self) -> &[u8] {
        &self.text
    }
}

/// As <https://www.postgresql.org/docs/current/sql-copy.html> has it.
fn escape(cell: &str, text: &mut Vec<u8>) {
    for byte in cell.bytes() {
        match byte {
            b'\\' => text.extend_from_slice(b"\\\\"),
            b'\t' => text.extend_from_slice(b"\\t"),
            b'\n' => text.extend_from_slice(b"\\n"),
            b'\r' => text.extend_from_slice(b"\\r"),
            byte => text.push(byte),
        }
    }
}

/// Bytes as `bytea` reads them.
pub fn bytea(bytes: &[u8]) -> String {
    format!("\\x{}", hex(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_ends_its_row() {
        let mut rows = Rows::default();
        rows.put([Some("a\tb\nc\rd\\N"), None, Some("")]);
        rows.put([Some("\\.")]);
        assert_eq!(rows.text(), b"a\\tb\\nc\\rd\\\\N\t\\N\t\n\\\\.\n");
        assert_eq!(bytea(&[0, 0xab]), "\\x00ab");
    }
}
