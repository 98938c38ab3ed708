//! Tables of text.

use super::layout;
use super::style::{Paint, paint};

/// A table with a heading, its columns as wide as they need to be.
#[derive(Clone, Debug)]
pub struct Table {
    heading: Vec<String>,
    rows: Vec<Vec<String>>,
    right: Vec<usize>,
}

impl Table {
    /// A table with these columns.
    pub fn new(heading: &[&str]) -> Table {
        let heading = heading.iter().map(|&title| title.to_owned()).collect();
        Table {
            heading,
            rows: Vec::new(),
            right: Vec::new(),
        }
    }

    /// Aligns the columns of these numbers to the right.
    pub fn right(mut self, columns: &[usize]) -> Table {
        self.right = columns.to_vec();
        self
    }

    /// Adds a row. Cells may carry styles.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table as text, one line per row. If it is too wide, the first column is cut.
    pub fn render_cut(&self, width: usize) -> String {
        let others: usize = (1..self.heading.len()).map(|i| self.natural(i) + 2).sum();
        let room = width.saturating_sub(others).max(8);
        let mut cut = self.clone();
        for row in cut
            .rows
            .iter_mut()
            .filter(|row| layout::width(&row[0]) > room)
        {
            row[0] = layout::cut(&row[0], room);
        }
        cut.render(width.max(others + room), "")
    }

    /// The table as text. If it is too wide, the first column wraps.
    pub fn render(&self, width: usize, indent: &str) -> String {
        let mut columns: Vec<usize> = (0..self.heading.len()).map(|i| self.natural(i)).collect();
        let others: usize = columns.iter().skip(1).map(|column| column + 2).sum();
        let room = width.saturating_sub(indent.len() + others).max(8);
        columns[0] = columns[0].min(room);
        let heading: Vec<String> = self
            .heading
            .iter()
            .map(|title| paint(Paint::Dim, title))
            .collect();
        let mut lines = Vec::new();
        for row in std::iter::once(&heading).chain(&self.rows) {
            let first = match layout::width(&row[0]) <= columns[0] {
                true => vec![row[0].clone()],
                false => layout::lines(&row[0], columns[0]),
            };
            for (nth, first) in first.iter().enumerate() {
                let mut line = format!("{indent}{}", self.cell(0, first, columns[0]));
                if nth == 0 {
                    for (i, cell) in row.iter().enumerate().skip(1) {
                        line.push_str("  ");
                        line.push_str(&self.cell(i, cell, columns[i]));
                    }
                }
                lines.push(line.trim_end().to_owned());
            }
        }
        lines.join("\n")
    }

    fn natural(&self, column: usize) -> usize {
        let cells = self.rows.iter().chain(std::iter::once(&self.heading));
        cells
            .map(|row| layout::width(&row[column]))
            .max()
            .unwrap_or(0)
    }

    fn cell(&self, column: usize, text: &str, columns: usize) -> String {
        match self.right.contains(&column) {
            true => layout::pad_left(text, columns),
            false => layout::pad(text, columns),
        }
    }
}

/// A number with thousands separators.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(thousands(7), "7");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }
}
