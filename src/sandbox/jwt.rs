//! Tokens that look like the real ones: JSON Web Tokens, with a signature that only the same seed makes.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// `{"alg":"HS256","typ":"JWT"}`
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A token that carries `claims`.
pub fn sign(seed: u64, claims: &Value) -> String {
    let signed = format!("{HEADER}.{}", base64url(claims.to_string().as_bytes()));
    let signature = signature(seed, &signed);
    format!("{signed}.{signature}")
}

/// The claims of a token that [`sign`] made with the same seed.
pub fn verify(seed: u64, token: &str) -> Option<Value> {
    let (signed, own_signature) = token.rsplit_once('.')?;
    let (_, claims) = signed.split_once('.')?;
    let valid = signature(seed, signed) == own_signature;
    valid.then(|| serde_json::from_slice(&from_base64url(claims)?).ok())?
}

/// A secret text that depends on the seed alone.
pub fn secret(seed: u64) -> String {
    signature(seed, "client secret")
}

fn signature(seed: u64, text: &str) -> String {
    base64url(&Sha256::new().chain_update(seed.to_be_bytes()).chain_update(text).finalize())
}

fn base64url(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..=chunk.len() {
            let index = group >> (18 - 6 * digit) & 63;
            out.push(char::from(ALPHABET[index as usize]));
        }
    }
    out
}

fn from_base64url(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for chunk in text.as_bytes().chunks(4) {
        let mut group = 0_u32;
        for digit in chunk {
            let value = ALPHABET.iter().position(|letter| letter == digit)?;
            group = group << 6 | u32::try_from(value).ok()?;
        }
        group <<= 6 * (4 - chunk.len());
        out.extend_from_slice(&group.to_be_bytes()[1..chunk.len()]);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn base64url_is_that_of_the_rfc() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64url(bytes.as_bytes()), text);
            assert_eq!(from_base64url(text).unwrap(), bytes.as_bytes());
        }
        assert_eq!(base64url(&[0xFB, 0xFF]), "-_8");
        assert!(from_base64url("a b").is_none());
    }

    #[test]
    fn only_the_same_seed_verifies_an_untouched_token() {
        let claims = json!({"exp": 1_900_000_000, "jti": "1"});
        let token = sign(1, &claims);
        assert_eq!(verify(1, &token), Some(claims));
        assert_eq!(verify(2, &token), None);
        assert_eq!(verify(1, &token.replace("eyJleH", "eyJleX")), None);
        assert_eq!(verify(1, "no-token"), None);
    }

    #[test]
    fn the_header_names_algorithm_and_type() {
        assert_eq!(from_base64url(HEADER).unwrap(), br#"{"alg":"HS256","typ":"JWT"}"#);
    }
}
