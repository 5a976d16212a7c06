//! Content-addressed archives: a writer, an index and a reader that believes no byte that it has not hashed.
