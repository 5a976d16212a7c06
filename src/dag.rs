//! UnixFS: profiles, chunkers, balanced files, directories, HAMT; emits blocks to a sink. Pure.
