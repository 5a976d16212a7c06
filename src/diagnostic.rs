//! Codes, findings, and source text with spans; and how findings are shown.
