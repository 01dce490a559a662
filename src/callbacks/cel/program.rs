//! A compiled expression: parsed, checked and metered. It runs on the thread of the call until its budget is used up,
//! and always ends in an answer or a failure.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cel::common::ast::SourceInfo;
use cel::{Context, Env, IdedExpr as Expression, ParseErrors, Value};

use super::budget::TOO_COSTLY;
use super::check::{Check, count, depth, names};
use super::fault::{CelFault, cause};
use super::inputs::{Kind, NOW, Run, Subject, Variables, variables};
use super::language::LANGUAGE;
use super::meter::Meter;
use super::pattern::Pattern;

/// The maximum size of an expression, in bytes.
const MAX_SOURCE: usize = 4096;
/// The deepest nesting that the parser accepts.
const MAX_NESTING: u16 = 48;
/// The deepest nesting of an expression that runs, on the thread of a call.
const MAX_DEPTH: usize = 32;
/// The stack of the compiling thread; unoptimised, the parser takes 200 KiB a level.
const STACK: usize = 32 * 1024 * 1024;

/// A compiled expression of one callback, or of profiles.
#[derive(Clone)]
pub struct Program(Arc<Compiled>);

struct Compiled {
    source: String,
    language: Arc<Env>,
    expression: Expression,
    patterns: Vec<Pattern>,
    asks_the_time: bool,
    steps: u64,
}

impl Program {
    /// Compiles an expression, or reports all its faults.
    pub fn compile(subject: impl Into<Subject>, source: &str) -> Result<Self, Vec<CelFault>> {
        let subject = subject.into();
        if source.len() > MAX_SOURCE {
            let has = source.len();
            return Err(whole(format!(
                "has {has} bytes, more than the limit of {MAX_SOURCE}; shorten it, or use a remote callback"
            )));
        }
        std::thread::scope(|scope| {
            let compiler = std::thread::Builder::new().stack_size(STACK);
            let compiling = compiler.spawn_scoped(scope, || Self::compile_here(subject, source));
            let compiling = compiling.map_err(|error| whole(format!("cannot be compiled: {error}")))?;
            compiling.join().unwrap_or_else(|_| Err(whole("the parser panicked; this is a bug".to_owned())))
        })
    }

    fn compile_here(subject: Subject, source: &str) -> Result<Self, Vec<CelFault>> {
        let language = LANGUAGE.as_ref().map_err(|error| whole(format!("CEL cannot be set up: {error}")))?;
        let parser = language.parser().max_recursion_depth(MAX_NESTING);
        let parsed = parser.parse_with_source_info(source);
        let (expression, places) = parsed.map_err(|errors| syntax(&errors))?;
        let variables = variables(subject);
        let faults = Check::of(&expression, variables);
        if !faults.is_empty() {
            return Err(faults.into_iter().map(|(id, message)| placed(&places, id, message)).collect());
        }
        let asks_the_time = names(&expression, NOW);
        let steps = u64::try_from(count(&expression)).unwrap_or(u64::MAX);
        let json = variables.iter().filter(|(_, kind)| matches!(kind, Kind::Json)).map(|(name, _)| *name);
        let json: Vec<_> = json.collect();
        let mut meter = Meter::new(&json);
        let root = expression.id;
        let expression = meter.value(expression);
        if depth(&expression) > MAX_DEPTH {
            return Err(vec![placed(&places, root, TOO_DEEP.to_owned())]);
        }
        let (patterns, language) = (meter.patterns, Arc::clone(language));
        Ok(Self(Arc::new(Compiled {
            source: source.to_owned(),
            language,
            expression,
            patterns,
            asks_the_time,
            steps,
        })))
    }

    /// Returns true if it reads `now`, or has a local variable of that name.
    pub(super) fn asks_the_time(&self) -> bool {
        self.0.asks_the_time
    }

    /// Returns the number of its steps.
    pub(super) fn steps(&self) -> u64 {
        self.0.steps
    }

    /// Evaluates it, and reads the value. A failure quotes no value that the expression read.
    pub(super) fn evaluate<T>(
        &self,
        run: &Run<'_>,
        read: impl FnOnce(Value) -> Result<T, String>,
    ) -> Result<T, String> {
        let Compiled { source, language, expression, patterns, .. } = &*self.0;
        let variables = Variables { run, patterns };
        let evaluate = || {
            let mut context = Context::with_env(Arc::clone(language));
            context.set_variable_resolver(&variables);
            read(context.resolve(expression).map_err(|error| cause(&error, source))?)
        };
        let answer = catch_unwind(AssertUnwindSafe(evaluate))
            .unwrap_or_else(|_| Err("the evaluation panicked; this is a bug".to_owned()));
        if run.budget.is_overdrawn() { Err(TOO_COSTLY.to_owned()) } else { answer }
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Program({:?})", self.0.source)
    }
}

const TOO_DEEP: &str = "is nested too deeply; use fewer parentheses, or several claims";

fn whole(message: String) -> Vec<CelFault> {
    vec![CelFault { line: 1, column: 1, message }]
}

/// Reports the first syntax fault; the others usually follow from it.
fn syntax(errors: &ParseErrors) -> Vec<CelFault> {
    let Some(first) = errors.errors.first() else { return whole("is not an expression".to_owned()) };
    let at = |place: isize| usize::try_from(place).unwrap_or(0).max(1);
    let told = first.msg.lines().next().unwrap_or_default();
    if told.contains("Recursion limit") {
        return whole(TOO_DEEP.to_owned());
    }
    // The parser lists everything that it would accept there.
    let told = told.split(" expecting {").next().unwrap_or_default();
    let told = told.replace("<EOF>", "the end");
    let told = told.strip_prefix("Syntax error: ").unwrap_or(&told);
    vec![CelFault {
        line: at(first.pos.0),
        column: at(first.pos.1),
        message: format!("is not valid CEL: {told}"),
    }]
}

/// A fault at a place of the expression.
fn placed(places: &SourceInfo, id: u64, message: String) -> CelFault {
    let start = places.offset_for(id).map_or(0, |(start, _)| usize::try_from(start).unwrap_or(0));
    let before = places.source.get(..start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    CelFault { line, column, message }
}
