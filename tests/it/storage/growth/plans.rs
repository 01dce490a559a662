//! Query plans of the databases. Each plan is made with values of existing rows. PostgreSQL also plans without values,
//! as it does for a statement that has run several times.

use std::collections::{BTreeSet, HashMap};

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};

/// The tables that grow.
const LARGE: [&str; 6] = ["users", "accounts", "sessions", "auth_logs", "revocations", "used_marks"];

/// Fails if a statement scans a whole large table or a whole index of it, or sorts.
pub(super) async fn check(db: &DatabaseConnection, statements: &BTreeSet<String>, limit: u64) {
    let (mut faults, mut values) = (Vec::new(), Values { limit, of_columns: HashMap::new() });
    for sql in statements.iter().filter(|sql| reads(sql)) {
        let with_values = values.fill(db, sql).await;
        let mut plans = vec![plan(db, &with_values).await];
        if db.get_database_backend() == DbBackend::Postgres {
            plans.push(plan_without_values(db, sql).await);
        }
        for plan in plans {
            let backend = db.get_database_backend();
            if let Some(fault) = fault(backend, &plan).or_else(|| not_by_key(backend, sql, &plan)) {
                faults.push(format!("{fault}\n  {with_values}\n  {}", plan.join("\n  ")));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

/// Checks if a statement reads rows. One that only inserts rows or asks for the time has no plan to check.
fn reads(sql: &str) -> bool {
    let source =
        if sql.starts_with("INSERT") { sql.split_once(" SELECT ").map_or("", |(_, it)| it) } else { sql };
    LARGE
        .iter()
        .any(|table| ["\"", "`"].iter().any(|quote| source.contains(&format!("{quote}{table}{quote}"))))
}

/// Returns the first line of a plan that is not allowed, and the reason.
fn fault(backend: DbBackend, plan: &[String]) -> Option<String> {
    let of_large = |line: &str| line.split([' ', '|']).any(|word| LARGE.contains(&word));
    let forbidden = |line: &&String| match backend {
        DbBackend::Postgres => line.contains("Seq Scan on") && of_large(line),
        DbBackend::MySql => {
            of_large(line)
                && (["|ALL|", "|index|"].iter().any(|all| line.contains(all)) || line.contains("filesort"))
        }
        _ => (line.contains("SCAN ") && of_large(line)) || line.contains("TEMP B-TREE"),
    };
    if let Some(line) = plan.iter().find(forbidden) {
        return Some(line.clone());
    }
    // A full index scan of PostgreSQL has no condition in the plan.
    let count = |what: &str| plan.iter().filter(|line| line.contains(what)).count();
    let indexes = count("Index Scan") + count("Index Only Scan");
    (backend == DbBackend::Postgres && indexes > count("Index Cond:")).then(|| "a whole index".to_owned())
}

/// Returns the first line of a plan that deletes rows by key but finds them by another index. With many expired rows,
/// such a plan scans all of them for each small batch.
fn not_by_key(backend: DbBackend, sql: &str, plan: &[String]) -> Option<String> {
    if !sql.starts_with("DELETE") || !sql.contains(" IN (") {
        return None;
    }
    let by_another = |line: &&String| match backend {
        DbBackend::Postgres => line.contains("Index Scan") && !line.contains("_pkey"),
        DbBackend::MySql => !line.contains("|PRIMARY|"),
        _ => line.contains("SEARCH ") && !["(id=?)", "(mark=?)"].iter().any(|key| line.contains(key)),
    };
    plan.iter().find(by_another).cloned()
}

async fn plan(db: &DatabaseConnection, sql: &str) -> Vec<String> {
    match db.get_database_backend() {
        DbBackend::Postgres => texts(db, &format!("EXPLAIN {sql}"), "QUERY PLAN").await,
        DbBackend::Sqlite => texts(db, &format!("EXPLAIN QUERY PLAN {sql}"), "detail").await,
        _ => {
            let rows = query(db, &format!("EXPLAIN {sql}")).await;
            let text = |row: &sea_orm::QueryResult, name| {
                row.try_get::<Option<String>>("", name).unwrap().unwrap_or_default()
            };
            rows.iter()
                .map(|row| ["table", "type", "key", "Extra"].map(|name| text(row, name)).join("|"))
                .collect()
        }
    }
}

async fn plan_without_values(db: &DatabaseConnection, sql: &str) -> Vec<String> {
    db.execute_unprepared("SET plan_cache_mode = force_generic_plan").await.unwrap();
    db.execute_unprepared(&format!("PREPARE planned AS {sql}"))
        .await
        .unwrap_or_else(|error| panic!("{error}: {sql}"));
    let nulls = vec!["NULL"; sql.matches('$').count()].join(", ");
    let sql = if nulls.is_empty() {
        "EXPLAIN EXECUTE planned".to_owned()
    } else {
        format!("EXPLAIN EXECUTE planned({nulls})")
    };
    let plan = texts(db, &sql, "QUERY PLAN").await;
    db.execute_unprepared("DEALLOCATE planned").await.unwrap();
    plan
}

async fn query(db: &DatabaseConnection, sql: &str) -> Vec<sea_orm::QueryResult> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    db.query_all_raw(statement).await.unwrap_or_else(|error| panic!("{error}: {sql}"))
}

async fn texts(db: &DatabaseConnection, sql: &str, name: &str) -> Vec<String> {
    query(db, sql).await.iter().map(|row| row.try_get("", name).unwrap()).collect()
}

/// Values for the parameters of statements.
struct Values {
    limit: u64,
    of_columns: HashMap<(String, String, Order), String>,
}

/// The position of a value: few rows are below it, or few are above it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Order {
    Low,
    High,
}

impl Values {
    /// Fills each parameter of a statement: conditions get values of existing rows, all others get a null.
    async fn fill(&mut self, db: &DatabaseConnection, sql: &str) -> String {
        let conditions = sql.find(" WHERE ").unwrap_or(sql.len());
        let (mut filled, mut rest) = (String::new(), sql);
        while let Some(place) = rest.find(['?', '$']) {
            filled.push_str(&rest[..place]);
            let in_conditions = sql.len() - rest.len() + place > conditions;
            rest = rest[place + 1..].trim_start_matches(|digit: char| digit.is_ascii_digit());
            if filled.ends_with(" LIMIT ") {
                filled.push_str(&self.limit.to_string());
            } else if let Some(compared) = compared(&filled).filter(|_| in_conditions) {
                if !self.of_columns.contains_key(&compared) {
                    let value = value_of(db, &compared).await;
                    self.of_columns.insert(compared.clone(), value);
                }
                filled.push_str(&self.of_columns[&compared]);
            } else {
                filled.push_str("NULL");
            }
        }
        filled + rest
    }
}

/// Finds the column that the next value is compared with.
fn compared(before: &str) -> Option<(String, String, Order)> {
    let names: Vec<&str> = before.split(['"', '`']).collect();
    let [.., table, ".", column, operator] = names[..] else { return None };
    let low = operator.trim_start().starts_with('<');
    Some((table.to_owned(), column.to_owned(), if low { Order::Low } else { Order::High }))
}

/// Returns a value near the lowest or the highest of a column, as an SQL literal.
async fn value_of(db: &DatabaseConnection, (table, column, order): &(String, String, Order)) -> String {
    let is_number =
        column.ends_with("_at") || ["seq", "until", "epoch", "version"].contains(&column.as_str());
    let literal = match db.get_database_backend() {
        DbBackend::Postgres => format!("quote_literal(CAST({column} AS text))"),
        DbBackend::Sqlite => format!("quote({column})"),
        _ if is_number => format!("CAST({column} AS CHAR)"),
        _ => format!("concat('X''', hex({column}), '''')"),
    };
    let place = if *order == Order::Low { "ASC LIMIT 1 OFFSET 20" } else { "DESC LIMIT 1 OFFSET 2" };
    let sql = format!(
        "SELECT {literal} AS literal FROM {table} WHERE {column} IS NOT NULL ORDER BY {column} {place}"
    );
    texts(db, &sql, "literal").await.pop().unwrap_or_else(|| panic!("{table}.{column} has no values"))
}
