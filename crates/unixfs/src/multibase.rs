//! Texts in the bases of multibase: <https://github.com/multiformats/multibase>.

use data_encoding::{
    BASE32, BASE32_NOPAD, BASE32HEX, BASE32HEX_NOPAD, BASE64, BASE64_NOPAD, BASE64URL,
    BASE64URL_NOPAD, Encoding, HEXLOWER,
};

use super::CidError;

/// The bytes of a text whose first character names its base.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, CidError> {
    let base = text.chars().next().ok_or(CidError::Empty)?;
    let digits = &text[base.len_utf8()..];
    let decoded = |encoding: &Encoding, digits: &str| encoding.decode(digits.as_bytes()).ok();
    let (lower, upper) = (digits.to_ascii_lowercase(), digits.to_ascii_uppercase());
    let bytes = match base {
        'f' | 'F' => decoded(&HEXLOWER, &lower),
        'b' | 'B' => decoded(&BASE32_NOPAD, &upper),
        'c' | 'C' => decoded(&BASE32, &upper),
        'v' | 'V' => decoded(&BASE32HEX_NOPAD, &upper),
        't' | 'T' => decoded(&BASE32HEX, &upper),
        'k' | 'K' => base36(&lower),
        'z' => bs58::decode(digits).into_vec().ok(),
        'Z' => bs58::decode(digits)
            .with_alphabet(bs58::Alphabet::FLICKR)
            .into_vec()
            .ok(),
        'm' => decoded(&BASE64_NOPAD, digits),
        'M' => decoded(&BASE64, digits),
        'u' => decoded(&BASE64URL_NOPAD, digits),
        'U' => decoded(&BASE64URL, digits),
        other => return Err(CidError::Base(other)),
    };
    bytes.ok_or(CidError::Text)
}

/// A number in base 36, each leading zero a byte of its own. Takes time in the square of the length,
/// which the caller has limited.
fn base36(digits: &str) -> Option<Vec<u8>> {
    // The least significant byte first.
    let mut bytes: Vec<u8> = Vec::new();
    for digit in digits.chars() {
        let mut carry = digit.to_digit(36)?;
        for byte in &mut bytes {
            carry += u32::from(*byte) * 36;
            [*byte, ..] = carry.to_le_bytes();
            carry >>= 8;
        }
        if carry > 0 {
            bytes.extend(&carry.to_le_bytes()[..1]);
        }
    }
    bytes.extend(digits.bytes().take_while(|digit| *digit == b'0').map(|_| 0));
    bytes.reverse();
    Some(bytes)
}
