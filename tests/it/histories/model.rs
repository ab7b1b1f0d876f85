//! The model: what there is, how it is asked for, and what can happen next. It knows nothing of the program.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;

use super::account::{Account, account};
use super::asked::{self, Asked, Filter};
use super::step::{Step, step};
use super::world::{Company, Database, Key, Stamps, World, id_of, world};

#[derive(Debug, Clone)]
pub struct Model {
    pub world: World,
    /// Whose row comes twice, the second time with another name.
    pub repeated: BTreeSet<Key>,
    /// Rows without an id, in FI.
    pub broken_rows: u8,
    pub account: Account,
    pub asked: [Asked; 2],
    /// What each was before it was edited.
    pub former: [Asked; 2],
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        (world(), account(), asked::first())
            .prop_map(|(world, account, asked)| Self {
                world,
                repeated: BTreeSet::new(),
                broken_rows: 0,
                account,
                former: asked.clone(),
                asked,
            })
            .boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Step> {
        step()
    }

    fn apply(mut model: Self, step: &Step) -> Self {
        match step {
            Step::Put(key, company) | Step::SyncWhileChanging { change: (key, Some(company)), .. } => {
                model.put(*key, *company);
            }
            Step::Remove(key) | Step::SyncWhileChanging { change: (key, None), .. } => {
                model.world.remove(key);
            }
            Step::Touch(key) => {
                if let Some(company) = model.world.get_mut(key) {
                    company.touched = company.touched.wrapping_add(1);
                }
            }
            Step::Flood(company) => (0..15).for_each(|n| model.put((Database::Fi, 40 + n), *company)),
            Step::Thin(rest) => model.world.retain(|(_, number), _| number % 3 == *rest),
            Step::Repeat(key) => {
                model.repeated.insert(*key);
            }
            Step::Break(rows) => model.broken_rows = *rows,
            Step::Account(account) => model.account = (**account).clone(),
            Step::Edit(query, asked) => {
                model.former[*query] = std::mem::replace(&mut model.asked[*query], (**asked).clone());
            }
            Step::Undo(query) => {
                std::mem::swap(&mut model.former[*query], &mut model.asked[*query]);
                model.asked[*query].present = true;
            }
            Step::Toggle(query) if model.asked[1 - query].present => {
                model.asked[*query].present = !model.asked[*query].present;
            }
            _ => {}
        }
        model
    }
}

impl Model {
    fn put(&mut self, key: Key, company: Company) {
        let touched = self.world.get(&key).map_or(0, |company| company.touched);
        self.world.insert(key, Company { touched, ..company });
    }

    /// The rows of a database, in the order in which they come unasked.
    pub fn rows(&self, world: &World, stamps: &Stamps, database: Database) -> Vec<String> {
        let mut companies: Vec<_> = world.iter().filter(|(key, _)| key.0 == database).collect();
        let shuffle = self.account.paging.shuffle;
        companies.sort_by_key(|((_, number), _)| number.wrapping_mul(shuffle | 1) ^ shuffle);
        let drops_nulls = self.account.look.drops_nulls;
        let mut rows = Vec::new();
        for (key, company) in companies {
            rows.push(company.row(*key, stamps[key], drops_nulls));
            if self.repeated.contains(key) {
                let second = Company { name: company.name + 10, ..*company };
                rows.push(second.row(*key, stamps[key], drops_nulls));
            }
        }
        let broken = if database == Database::Fi { self.broken_rows } else { 0 };
        rows.extend((0..broken).map(|n| format!(r#"{{"name":"nobody {n}","legal_entity":"OY"}}"#)));
        rows
    }

    /// The companies that a query selects in `world`.
    pub fn selected<'a>(
        &'a self,
        query: usize,
        world: &'a World,
    ) -> impl Iterator<Item = (&'a Key, &'a Company)> {
        let Asked { database, filter, .. } = self.asked[query];
        world.iter().filter(move |(key, company)| key.0 == database && filter.passes(**company))
    }

    /// The ids of the companies that a query selects in `world`.
    pub fn ids(&self, query: usize, world: &World) -> BTreeSet<String> {
        self.selected(query, world).map(|(key, _)| id_of(*key)).collect()
    }

    /// How many rows without an id a query's listing has.
    pub fn broken(&self, query: usize) -> usize {
        let Asked { database, filter, .. } = self.asked[query];
        let has_some = database == Database::Fi && filter.passes_broken_rows();
        if has_some { usize::from(self.broken_rows) } else { 0 }
    }

    /// How many rows a query's listing has.
    pub fn count(&self, query: usize) -> usize {
        let rows = |key: &Key| if self.repeated.contains(key) { 2 } else { 1 };
        self.selected(query, &self.world).map(|(key, _)| rows(key)).sum::<usize>() + self.broken(query)
    }

    /// Whether a query's members can be asked for at all.
    pub fn can_be_asked(&self, query: usize) -> bool {
        self.asked[query].filter != Filter::List
    }
}
