use super::*;
use crate::organization::BusinessId;

fn row(n: u32) -> String {
    format!(r#"{{"business_id":"FI{n:04}"}}"#)
}

/// A file of so many rows.
fn file(rows: u32) -> String {
    (0..rows).map(|n| row(n) + "\n").collect()
}

/// A pass over `text`, in parts of so many bytes; what is handed on is added to `handed`. False: of no use.
fn pass(reading: &mut Reading, text: &[u8], part: usize, handed: &mut Vec<String>) -> Result<(), Useless> {
    for part in text.chunks(part) {
        reading.take(Bytes::copy_from_slice(part))?;
        if reading.is_full() {
            hand_on(reading, handed);
        }
    }
    Ok(())
}

fn hand_on(reading: &mut Reading, handed: &mut Vec<String>) {
    handed.extend(reading.hand_on().into_iter().map(|row| row.unwrap().text().to_owned()));
}

fn ids(listed: &Listed) -> (Option<String>, Option<String>) {
    let text = |id: &'_ Option<BusinessId>| id.as_ref().map(|id| id.as_str().to_owned());
    (text(&listed.first_id), text(&listed.last_id))
}

#[test]
fn a_file_that_breaks_off_anywhere_hands_on_every_row_once() {
    let text = file(1203);
    for (part, cut) in [(100, 0), (1, 9000), (777, 20_000), (4096, 22_222), (65_536, text.len())] {
        let (mut reading, mut handed) = (Reading::new(None), Vec::new());
        for broken in [&text[..cut / 2], &text[..cut]] {
            pass(&mut reading, broken.as_bytes(), part, &mut handed).unwrap();
            reading.begin_anew();
        }
        pass(&mut reading, text.as_bytes(), part, &mut handed).unwrap();
        reading.end().unwrap();
        hand_on(&mut reading, &mut handed);
        assert_eq!(handed, text.lines().collect::<Vec<_>>(), "cut at {cut} in parts of {part}");
        assert_eq!(reading.listed.rows, 1203);
        assert_eq!(ids(&reading.listed), (Some("FI0000".into()), Some("FI1202".into())));
    }
}

#[test]
fn a_file_that_is_another_when_it_comes_again_is_handed_on_whole() {
    let reversed = |rows: u32| (1203 - rows..1203).rev().map(|n| row(n) + "\n").collect::<String>();
    let (old, new, shorter) = (file(1203), reversed(1203), reversed(300));
    for other in [new.as_str(), shorter.as_str()] {
        let (mut reading, mut handed) = (Reading::new(None), Vec::new());
        pass(&mut reading, &old.as_bytes()[..20_000], 1000, &mut handed).unwrap();
        assert!(!handed.is_empty());
        reading.begin_anew();
        let changed = pass(&mut reading, other.as_bytes(), 1000, &mut handed).and_then(|()| reading.end());
        let Err(Useless::Again(cause)) = changed else { panic!("{changed:?}") };
        assert!(cause.to_string().contains("without the rows that came before"), "{cause}");
        reading.begin_anew();
        handed.clear();
        pass(&mut reading, new.as_bytes(), 1000, &mut handed).unwrap();
        reading.end().unwrap();
        hand_on(&mut reading, &mut handed);
        assert_eq!(handed, new.lines().collect::<Vec<_>>());
        assert_eq!(ids(&reading.listed), (Some("FI1202".into()), Some("FI0000".into())));
    }
}

#[test]
fn a_torn_last_line_is_asked_for_again_and_set_aside_if_it_is_the_same() {
    let text = file(3) + r#"{"business_id":"FI00"#;
    let mut reading = Reading::new(None);
    for (is_known, text) in
        [(false, text.clone()), (false, file(4) + "{"), (false, text.clone()), (true, text)]
    {
        reading.begin_anew();
        pass(&mut reading, text.as_bytes(), 1000, &mut Vec::new()).unwrap();
        match reading.end() {
            Ok(()) => assert!(is_known),
            Err(Useless::Again(cause)) => {
                assert!(!is_known);
                assert!(cause.to_string().contains("not JSON"), "{cause}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(reading.listed.rows, 4);
    assert!(reading.hand_on()[3].is_err());
}

#[test]
fn what_is_no_file_of_rows_gives_none() {
    for (text, told) in [
        ("<html>\n<body>\nUnder maintenance\n", "near `<html>`"),
        ("OK", "near `OK`"),
        ("null\n", "near `null`"),
        (r#"{"detail":"Query timed out","status_code":504}"#, r#"without a row: "Query timed out""#),
    ] {
        let mut reading = Reading::new(None);
        for _ in 0..3 {
            reading.begin_anew();
            let result = pass(&mut reading, text.as_bytes(), 5, &mut Vec::new()).and_then(|()| reading.end());
            let Err(Useless::Again(cause)) = result else { panic!("{text}: {result:?}") };
            assert!(cause.to_string().contains(told), "{cause}");
            assert!(reading.hand_on().is_empty());
        }
    }
}

#[test]
fn an_array_in_place_of_lines_is_not_asked_for_a_third_time() {
    let mut reading = Reading::new(None);
    let array = format!("[{},\n{}]", row(1), row(2));
    let first = reading.take(Bytes::from(array.clone()));
    assert!(matches!(first, Err(Useless::Again(_))), "{first:?}");
    reading.begin_anew();
    let second = reading.take(Bytes::from(array));
    assert!(matches!(&second, Err(Useless::Twice { place }) if place.contains("FI0001")), "{second:?}");
}

#[test]
fn a_file_without_a_row_is_a_listing_too() {
    for text in ["", "\n\r\n", "\u{feff}"] {
        let mut reading = Reading { may_be_empty: true, ..Reading::new(None) };
        pass(&mut reading, text.as_bytes(), 2, &mut Vec::new()).unwrap();
        reading.end().unwrap();
        assert_eq!(reading.listed.rows, 0);
    }
}

#[test]
fn a_file_without_a_row_is_asked_for_once_more_where_rows_were_counted() {
    let mut reading = Reading::new(None);
    let Err(Useless::Again(cause)) = reading.end() else { panic!("it was taken at once") };
    assert!(cause.to_string().contains("without a row"), "{cause}");
    reading.begin_anew();
    reading.end().unwrap();
    assert_eq!(reading.listed.rows, 0);
}
