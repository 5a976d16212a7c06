//! Rows in columns.

use super::context::Context;
use crate::foundation::failure::Failure;

/// Prints the rows: aligned under a header on a terminal, else separated by tabs.
pub(super) fn print(
    context: &Context<'_>,
    header: &[&str],
    rows: Vec<Vec<String>>,
) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut lines: Vec<String> = Vec::new();
    if context.environment.output.is_terminal() {
        let mut table = vec![header.iter().map(|&word| word.to_owned()).collect()];
        table.extend(rows);
        let width = |column: usize| {
            let cells = table.iter().filter_map(|row: &Vec<String>| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..header.len()).map(width).collect();
        for row in &table {
            let cells = row.iter().zip(&widths);
            let line = cells.fold(String::new(), |line, (cell, width)| {
                line + &format!("{cell:<width$}  ")
            });
            lines.push(line.trim_end().to_owned());
        }
    } else {
        lines.extend(rows.iter().map(|row| row.join("\t")));
    }
    context.result(&lines.join("\n"))
}
