//! `--sample`: a few rows of every action, to be applied first.

use std::collections::{BTreeMap, BTreeSet};

use super::ImportError;
use crate::run::{ImportStore, RowAction};

/// Decisions read per batch.
const LOT: usize = 1_000;

/// Selects a sample of rows: the first ones of each action, in proportion to its share, but at least one.
pub(super) fn choose_sample_rows(
    rows: &ImportStore,
    size: u64,
) -> Result<BTreeSet<u64>, ImportError> {
    let mut actions: BTreeMap<RowAction, Vec<u64>> = BTreeMap::new();
    let (mut after, mut all) = (0, 0);
    loop {
        let lot = rows.decisions_after(after, LOT)?;
        let Some((last, _)) = lot.last() else { break };
        after = *last;
        for (n, decision) in lot.into_iter().filter(|(_, it)| it.changes.is_some()) {
            all += 1;
            actions.entry(decision.action).or_default().push(n);
        }
    }
    let mut chosen = BTreeSet::new();
    for rows in actions.values() {
        let share = (rows.len() as u64 * size).div_ceil(all.max(1)).max(1);
        chosen.extend(rows.iter().take(usize::try_from(share).unwrap_or(usize::MAX)));
    }
    add_rows_before(rows, &mut chosen)?;
    Ok(chosen)
}

/// Adds the rows that must be written before chosen ones.
fn add_rows_before(rows: &ImportStore, chosen: &mut BTreeSet<u64>) -> Result<(), ImportError> {
    let before = rows.rows_written_before()?;
    let mut open: Vec<u64> = chosen.iter().copied().collect();
    while let Some(n) = open.pop() {
        let needed = before.iter().filter(|(_, row)| *row == n).map(|(before, _)| *before);
        open.extend(needed.filter(|before| chosen.insert(*before)));
    }
    Ok(())
}
