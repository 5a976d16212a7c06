//! One wheel's archive, METADATA, WHEEL and RECORD: reads a `Read + Seek`, never a path.
