//! Tests that hold for both kinds of access token. Each file lists at its end the tests that run a second time, with
//! references (`session.strategy: database`) instead of JWTs.

use std::cell::Cell;

thread_local! {
    /// True if the test of this thread issues references. A test starts its apps on its own thread.
    static REFERENCES: Cell<bool> = const { Cell::new(false) };
}

/// Runs a test in which every app without an explicit strategy issues references.
pub fn with_references(test: fn()) {
    struct Back;
    impl Drop for Back {
        fn drop(&mut self) {
            REFERENCES.set(false);
        }
    }
    let _back = Back;
    REFERENCES.set(true);
    test();
}

/// Returns the configuration of an app under the strategy of the running test.
pub fn of_this_test(yaml: String) -> String {
    if REFERENCES.get() && !yaml.contains("strategy:") { with_strategy(yaml, "database") } else { yaml }
}

/// Adds a strategy to a configuration.
pub fn with_strategy(yaml: String, strategy: &str) -> String {
    if yaml.contains("session: {") {
        yaml.replace("session: {", &format!("session: {{strategy: {strategy}, "))
    } else {
        yaml + &format!("session: {{strategy: {strategy}}}\n")
    }
}

/// Runs these tests of a file a second time, as `with_references::NAME`.
macro_rules! also_with_references {
    ($($test:ident),+ $(,)?) => {
        mod with_references {
            $(
                #[test]
                fn $test() {
                    $crate::support::strategy::with_references(super::$test);
                }
            )+
        }
    };
}

pub(crate) use also_with_references;
