//! The column `sessions.predecessors`: generation (8) ‖ time of the gap (8, 0 if there is none) ‖ for each predecessor
//! before the direct one: hash (32) ‖ salt (32) ‖ time (8). At most seven of them make 520 bytes.
//!
//! Version 0.1 rotates a row without this column. Its generation then differs from the row's: the predecessors are not
//! those of the live token, and the tokens between are unknown.

use crate::model::{Predecessor, RefreshState, Timestamp};

const HEAD: usize = 16;
const EACH: usize = 72;

/// Writes the predecessors of a rotated row.
pub(super) fn write(row: &RefreshState) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD + row.older.len() * EACH);
    bytes.extend(row.generation.to_be_bytes());
    bytes.extend(row.gap_at.map_or(0, Timestamp::millis).to_be_bytes());
    for it in &row.older {
        bytes.extend(it.hash);
        bytes.extend(it.salt);
        bytes.extend(it.replaced_at.millis().to_be_bytes());
    }
    bytes
}

/// Adds the predecessors to the rest of the row. If another version wrote the row, the tokens before the direct
/// predecessor are unknown.
pub(super) fn read(row: RefreshState, column: Option<&[u8]>) -> RefreshState {
    match column.and_then(parse) {
        Some((generation, gap_at, older)) if generation == row.generation => {
            RefreshState { older, gap_at, ..row }
        }
        _ => RefreshState { gap_at: (row.generation > 1).then_some(row.rotated_at), ..row },
    }
}

fn parse(column: &[u8]) -> Option<(u64, Option<Timestamp>, Vec<Predecessor>)> {
    let (generation, rest) = column.split_first_chunk()?;
    let (gap_at, rest) = rest.split_first_chunk()?;
    let (each, []) = rest.as_chunks::<EACH>() else { return None };
    let gap_at = Some(i64::from_be_bytes(*gap_at)).filter(|at| *at != 0).map(Timestamp);
    let older = each.iter().map(|it| predecessor(it)).collect::<Option<_>>()?;
    Some((u64::from_be_bytes(*generation), gap_at, older))
}

fn predecessor(bytes: &[u8]) -> Option<Predecessor> {
    let (hash, rest) = bytes.split_first_chunk()?;
    let (salt, replaced_at) = rest.split_first_chunk()?;
    let replaced_at = Timestamp(i64::from_be_bytes(*replaced_at.first_chunk()?));
    Some(Predecessor { hash: *hash, salt: *salt, replaced_at })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Makes a row without its column.
    fn row(generation: u64) -> RefreshState {
        RefreshState {
            hash: [1; 32],
            previous_hash: Some([2; 32]),
            generation,
            salt: [3; 32],
            rotated_at: Timestamp(1000),
            older: Vec::new(),
            gap_at: None,
        }
    }

    prop_compose! {
        fn predecessor()(hash: [u8; 32], salt: [u8; 32], replaced_at: i64) -> Predecessor {
            Predecessor { hash, salt, replaced_at: Timestamp(replaced_at) }
        }
    }

    proptest! {
        #[test]
        fn predecessors_read_back(
            older in prop::collection::vec(predecessor(), 0..=7),
            gap_at in prop::option::of(1..i64::MAX),
            generation: u64,
        ) {
            let written = RefreshState { older, gap_at: gap_at.map(Timestamp), ..row(generation) };
            let column = write(&written);
            prop_assert!(column.len() <= 520);
            prop_assert_eq!(read(row(generation), Some(&column)), written);
        }

        #[test]
        fn no_bytes_of_another_form_are_predecessors(column in prop::collection::vec(any::<u8>(), 0..700)) {
            let read = read(row(2), Some(&column));
            prop_assert!(read.older.is_empty() && read.gap_at == Some(Timestamp(1000)));
        }
    }

    #[test]
    fn a_row_that_another_version_wrote_has_a_gap() {
        let older = vec![Predecessor { hash: [4; 32], salt: [5; 32], replaced_at: Timestamp(900) }];
        let column = write(&RefreshState { older, ..row(2) });
        for (generation, column, gap_at) in [
            (0, None, None),
            // The first token is the direct predecessor: nothing is before it.
            (1, None, None),
            (2, None, Some(1000)),
            (3, Some(&*column), Some(1000)),
            (1, Some(&*column), None),
            (2, Some(&column[..16 + 71]), Some(1000)),
            (2, Some(&column[..15]), Some(1000)),
            (2, Some(&[]), Some(1000)),
        ] {
            let read = read(row(generation), column);
            assert_eq!((read.gap_at, read.older), (gap_at.map(Timestamp), Vec::new()), "{generation}");
        }
    }
}
