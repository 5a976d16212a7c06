//! The CSV format of RECORD: the default dialect of Python's `csv` module, as its specification
//! requires. A comma between cells, `"` around a cell if needed and doubled inside, any line end.

use std::borrow::Cow;

/// A row has three cells; further ones are kept up to this number.
const MOST_CELLS: usize = 4;

/// The reason why a row cannot be read.
pub(super) struct CsvError {
    pub(super) line: usize,
    pub(super) reason: &'static str,
}

/// The line of a row, from 1, and its cells.
type Row<'a> = (usize, Vec<Cow<'a, str>>);

/// The rows. After an error nothing more is returned.
pub(super) fn rows(text: &str) -> impl Iterator<Item = Result<Row<'_>, CsvError>> {
    let mut rest = text;
    let mut line = 1;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let first_line = line;
        Some(match row(&mut rest, &mut line) {
            Ok(cells) => Ok((first_line, cells)),
            Err(reason) => {
                rest = "";
                Err(CsvError {
                    line: first_line,
                    reason,
                })
            }
        })
    })
}

fn row<'a>(rest: &mut &'a str, line: &mut usize) -> Result<Vec<Cow<'a, str>>, &'static str> {
    let mut cells = Vec::with_capacity(3);
    loop {
        let cell = if let Some(after) = rest.strip_prefix('"') {
            *rest = after;
            quoted(rest, line)?
        } else {
            let end = rest.find([',', '\n', '\r']).unwrap_or(rest.len());
            let (cell, after) = rest.split_at(end);
            *rest = after;
            Cow::Borrowed(cell)
        };
        if cells.len() < MOST_CELLS {
            cells.push(cell);
        }
        if let Some(after) = rest.strip_prefix(',') {
            *rest = after;
            continue;
        }
        let after = ["\r\n", "\n", "\r"]
            .iter()
            .find_map(|end| rest.strip_prefix(end));
        return match after {
            Some(after) => {
                *rest = after;
                *line += 1;
                Ok(cells)
            }
            None if rest.is_empty() => Ok(cells),
            None => Err("there is text after a closing quote"),
        };
    }
}

/// A cell whose opening quote has been read.
fn quoted<'a>(rest: &mut &'a str, line: &mut usize) -> Result<Cow<'a, str>, &'static str> {
    let mut cell = Cow::Borrowed("");
    loop {
        let end = rest.find('"').ok_or("a quote is not closed")?;
        let (part, after) = (&rest[..end], &rest[end + 1..]);
        *line += part.matches('\n').count();
        cell += part;
        *rest = after;
        match after.strip_prefix('"') {
            Some(after) => {
                cell += "\"";
                *rest = after;
            }
            None => return Ok(cell),
        }
    }
}
