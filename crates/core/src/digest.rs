//! SHA-256, by which files and texts are told from others.

use std::fmt::Write;
use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

/// Bytes that are read at a time.
const PIECE: usize = 1 << 20;

/// The SHA-256 of what comes in pieces.
#[derive(Debug, Clone, Default)]
pub struct Digest(Sha256);

impl Digest {
    /// Takes the next piece.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The same with its length before it, which keeps texts apart that would else run into one another.
    pub fn add_part(&mut self, bytes: &[u8]) {
        self.add(&(bytes.len() as u64).to_le_bytes());
        self.add(bytes);
    }

    /// 64 lower-case digits.
    #[must_use]
    pub fn hexadecimal(self) -> String {
        hexadecimal(&self.0.finalize())
    }
}

/// The SHA-256 of bytes, 64 lower-case hexadecimal digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// The same of everything that can be read.
///
/// # Errors
/// Those of reading.
pub fn sha256_of(mut from: impl Read) -> io::Result<String> {
    let (mut digest, mut piece) = (Digest::default(), vec![0; PIECE]);
    loop {
        match from.read(&mut piece) {
            Ok(0) => return Ok(digest.hexadecimal()),
            Ok(count) => digest.add(&piece[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Two lower-case digits a byte.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of FIPS 180-4 (SHA-256).
    #[test]
    fn digests_are_those_of_the_standard() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), abc);
        assert_eq!(sha256_of(&b"abc"[..]).unwrap(), abc);
        let mut pieces = Digest::default();
        pieces.add(b"a");
        pieces.add(b"bc");
        assert_eq!(pieces.hexadecimal(), abc);
        let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256(b""), nothing);
        let long = vec![7; 3 * PIECE + 1];
        assert_eq!(sha256_of(long.as_slice()).unwrap(), sha256(&long));
    }

    #[test]
    fn parts_do_not_run_into_one_another() {
        let of = |parts: [&str; 2]| {
            let mut digest = Digest::default();
            parts
                .iter()
                .for_each(|part| digest.add_part(part.as_bytes()));
            digest.hexadecimal()
        };
        assert_ne!(of(["ab", "c"]), of(["a", "bc"]));
        assert_eq!(of(["ab", "c"]), of(["ab", "c"]));
    }
}
