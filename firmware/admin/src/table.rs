//! A table as a file for spreadsheets: CSV (RFC 4180).

/// Rows of texts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    text: String,
    is_headed: bool,
}

impl Table {
    pub(crate) fn new(heads: &[&str]) -> Self {
        Self { text: heads.join(","), is_headed: false }
    }

    /// More heads, before there are rows.
    pub(crate) fn add_heads(&mut self, heads: &[&str]) {
        for head in heads {
            self.text.push(',');
            self.text.push_str(head);
        }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        if !self.is_headed {
            self.text.push_str("\r\n");
            self.is_headed = true;
        }
        let cells: Vec<String> = cells.into_iter().map(|cell| quoted(&cell)).collect();
        self.text.push_str(&cells.join(","));
        self.text.push_str("\r\n");
    }

    pub(crate) fn csv(mut self) -> String {
        if !self.is_headed {
            self.text.push_str("\r\n");
        }
        self.text
    }
}

/// A cell. One that a spreadsheet would take for a formula gets an apostrophe, which it takes for "this is text".
fn quoted(cell: &str) -> String {
    let is_formula = cell.starts_with(['=', '@', '\t', '\r'])
        || cell.starts_with(['+', '-'])
            && !cell[1..].bytes().all(|byte| byte.is_ascii_digit() || b" .".contains(&byte));
    let cell = if is_formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sta_1_cells_are_quoted_where_they_must_be_and_are_no_formulas() {
        let mut table = Table::new(&["a"]);
        table.add_heads(&["b"]);
        table.row(["Sales, \"main\"".to_owned(), "=1+1".to_owned()]);
        table.row(["+41 79".to_owned(), "-cmd|x".to_owned()]);
        table.row(["-23.5".to_owned(), "-1.x()".to_owned()]);
        assert_eq!(
            table.csv(),
            "a,b\r\n\"Sales, \"\"main\"\"\",'=1+1\r\n+41 79,'-cmd|x\r\n-23.5,'-1.x()\r\n"
        );
        assert_eq!(Table::new(&["a"]).csv(), "a\r\n");
    }
}
