//! Statements, keys, SSHSIG signatures and the trust policy.
