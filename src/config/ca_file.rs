//! `api.ca_file`: the certificates of authorities that are trusted beside the system's.

use std::path::Path;

use reqwest::Certificate;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{PemObject as _, SectionKind};

use super::find::unreadable;

const BOM: &[u8] = b"\xef\xbb\xbf";
/// How a sequence of more than 127 bytes begins in DER, as every certificate does.
const DER: &[u8] = b"\x30\x82";

/// The certificates in the PEM file at `path`: at least one, and all of them sound. One that has expired is.
///
/// # Errors
/// Why there are none, to be read after the file's name and a colon.
pub(crate) fn certificates(path: &Path) -> Result<Vec<Certificate>, String> {
    let bytes = std::fs::read(path).map_err(|error| unreadable(&error))?;
    parse(bytes.strip_prefix(BOM).unwrap_or(&bytes))
}

fn parse(pem: &[u8]) -> Result<Vec<Certificate>, String> {
    if pem.trim_ascii().is_empty() {
        return Err("is empty; it must hold certificates in PEM form".into());
    }
    if pem.starts_with(DER) {
        return Err("is in DER form; make PEM of it: openssl x509 -inform der -in FILE -out FILE.pem".into());
    }
    let sections: Vec<(SectionKind, Vec<u8>)> = <(SectionKind, Vec<u8>)>::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| "is damaged: between its BEGIN and END lines is no base64, or one of them lacks")?;
    let certificates = sections.iter().filter(|(kind, _)| *kind == SectionKind::Certificate);
    let certificates: Vec<Certificate> =
        certificates.zip(1..).map(|((_, der), number)| sound(der, number)).collect::<Result<_, _>>()?;
    if certificates.is_empty() {
        return Err(format!("holds {}, but no certificate in PEM form", instead(&sections)));
    }
    Ok(certificates)
}

/// The `number`th certificate, if it can be trusted at all: PEM says nothing of what its base64 holds.
fn sound(der: &[u8], number: u32) -> Result<Certificate, String> {
    let is_trusted = RootCertStore::empty().add(CertificateDer::from(der)).is_ok();
    Certificate::from_der(der).ok().filter(|_| is_trusted).ok_or_else(|| {
        format!("holds no certificate at place {number}: what stands between its BEGIN and END lines is none")
    })
}

fn instead(sections: &[(SectionKind, Vec<u8>)]) -> &'static str {
    match sections.first() {
        Some((SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey, _)) => {
            "a private key"
        }
        Some((SectionKind::Csr, _)) => "a request for a certificate",
        Some(_) => "keys or lists",
        None => "something else",
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};

    use super::*;

    /// A certificate of an authority, and its key.
    fn authority(until: i32) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_after = date_time_ymd(until, 1, 1);
        (params.self_signed(&key).unwrap(), key)
    }

    fn read(content: &[u8]) -> Result<usize, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, content).unwrap();
        certificates(&path).map(|certificates| certificates.len())
    }

    #[test]
    fn every_certificate_of_a_bundle_is_taken_an_expired_one_too_and_a_bom_is_ignored() {
        let (valid, key) = authority(2999);
        let (expired, _) = authority(2001);
        let both = format!("# ours\r\n{}\n{}", valid.pem(), expired.pem());
        assert_eq!(read(both.as_bytes()), Ok(2));
        assert_eq!(read(expired.pem().as_bytes()), Ok(1));
        assert_eq!(read(format!("\u{feff}{}", both.trim_start_matches("# ours\r\n")).as_bytes()), Ok(2));
        assert_eq!(read(format!("{}{}", key.serialize_pem(), valid.pem()).as_bytes()), Ok(1));
    }

    #[test]
    fn what_holds_no_certificate_is_told_by_what_it_is() {
        let (valid, key) = authority(2999);
        let marked = |inside: &str| {
            format!("-----BEGIN CERTIFICATE-----\n{inside}\n-----END CERTIFICATE-----\n").into_bytes()
        };
        let second_is_none = [valid.pem().into_bytes(), marked("aGVsbG8=")].concat();
        let cut = valid.pem().replace("-----END CERTIFICATE-----", "");
        let key = key.serialize_pem();
        let cases: [(&[u8], &str); 10] = [
            (b"", "is empty"),
            (b"\xef\xbb\xbf \n", "is empty"),
            (valid.der(), "in DER form"),
            (key.as_bytes(), "holds a private key, but no certificate"),
            (b"[api]\nca_file = 'x'\n", "holds something else, but no certificate"),
            (&marked("aGVsbG8="), "no certificate at place 1"),
            (&marked(""), "no certificate at place 1"),
            (&marked("#"), "is damaged"),
            (&second_is_none, "no certificate at place 2"),
            (cut.as_bytes(), "is damaged"),
        ];
        for (content, told) in cases {
            let reason = read(content).unwrap_err();
            assert!(reason.contains(told), "{told:?} is not in {reason:?}");
        }
    }
}
