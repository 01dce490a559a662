//! Every transaction runs at READ COMMITTED, independent of the server's default. A trigger records the level.

use crate::support::builder_on;
use crate::support::databases::Backend;

async fn every_write_is_read_committed(backend: Backend) {
    let first = builder_on(backend).await.start().await;
    first.execute("CREATE TABLE seen (level VARCHAR(40))").await;
    let (trigger, wanted) = if backend == Backend::Postgres {
        let name = first.place.database.url.rsplit('/').next().unwrap();
        first
            .execute(&format!("ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'"))
            .await;
        first
            .execute(
                "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN \
                 INSERT INTO seen VALUES (current_setting(''transaction_isolation'')); RETURN NEW; END'",
            )
            .await;
        ("EXECUTE FUNCTION note()", "read committed")
    } else {
        // MariaDB's default is REPEATABLE READ.
        ("INSERT INTO seen VALUES (@@tx_isolation)", "READ-COMMITTED")
    };
    first.execute(&format!("CREATE TRIGGER notes AFTER INSERT ON sessions FOR EACH ROW {trigger}")).await;
    let app = first.replica(|yaml| yaml).await;
    app.sign_in("ada").await;
    assert_eq!(app.query("SELECT level AS level FROM seen").await, [[wanted]]);
}

crate::on_servers!(every_write_is_read_committed);
