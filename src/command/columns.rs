//! Rows in columns.

use super::context::Context;
use crate::foundation::diagnostic::wrap;
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
    if !context.environment.output.is_terminal() {
        let lines: Vec<String> = rows.iter().map(|row| row.join("\t")).collect();
        return context.result(&lines.join("\n"));
    }
    let mut table = vec![header.iter().map(|&word| word.to_owned()).collect()];
    table.extend(rows);
    let width = |column: usize| {
        let cells = table.iter().filter_map(|row: &Vec<String>| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    for cells in &table {
        let Some((last, before)) = cells.split_last() else {
            continue;
        };
        let before = before.iter().zip(&widths);
        let before = before.fold(String::new(), |line, (cell, width)| {
            line + &format!("{cell:<width$}  ")
        });
        row(context, &before, last)?;
    }
    Ok(())
}

/// Prints what comes first in a row, and its last column, which may take several lines on a
/// terminal.
pub(super) fn row(context: &Context<'_>, first: &str, last: &str) -> Result<(), Failure> {
    let Some(width) = context.environment.output.width() else {
        return context.result((first.to_owned() + last).trim_end());
    };
    let indent = " ".repeat(first.chars().count());
    for line in wrap(last, width, first, &indent).lines() {
        context.result(line.trim_end())?;
    }
    Ok(())
}
