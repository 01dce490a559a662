//! Checks an expression before it runs. Every name is known, every function is called as declared, every pattern
//! compiles, and the expression is small.

use cel::IdedExpr as Expression;
use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, SelectExpr, operators};

use super::inputs::Kind;
use super::language::{FUNCTIONS, Function, MACROS, OPTIONAL, SYNONYMS, TYPES};
use super::pattern::Pattern;
use crate::model::suggest;

/// The maximum number of steps of an expression; a macro counts as its expansion, about eight steps.
const MAX_STEPS: usize = 400;
/// The deepest nesting of loops.
const MAX_LOOPS: usize = 2;

/// A fault, at this place of the expression.
pub(super) type Found = (u64, String);

/// Looks through an expression.
pub(super) struct Check<'a> {
    variables: &'a [(&'static str, Kind)],
    /// The names that enclosing loops declare.
    locals: Vec<&'a str>,
    loops: usize,
    found: Vec<Found>,
}

impl<'a> Check<'a> {
    /// The faults of an expression over these variables.
    pub(super) fn of(expression: &'a Expression, variables: &'a [(&'static str, Kind)]) -> Vec<Found> {
        let mut check = Self { variables, locals: Vec::new(), loops: 0, found: Vec::new() };
        let steps = count(expression);
        if steps > MAX_STEPS {
            check.fault(
                expression,
                format!("has {steps} steps, more than the limit of {MAX_STEPS}; shorten it, or use a remote callback"),
            );
        } else {
            check.expression(expression);
        }
        check.found
    }

    fn fault(&mut self, at: &Expression, message: String) {
        self.found.push((at.id, message));
    }

    fn expression(&mut self, expression: &'a Expression) {
        match &expression.expr {
            Expr::Ident(name) => self.name(expression, name),
            Expr::Select(select) => self.select(expression, select),
            Expr::Call(call) => self.call(expression, call),
            Expr::Comprehension(comprehension) => self.comprehension(expression, comprehension),
            Expr::Struct(_) => {
                self.fault(expression, "messages cannot be created; write a map, {'key': value}".to_owned());
            }
            Expr::List(_) | Expr::Map(_) | Expr::Literal(_) | Expr::Unspecified => {
                children(expression).for_each(|child| self.expression(child));
            }
        }
    }

    fn kind(&self, name: &str) -> Option<Kind> {
        let variable = self.variables.iter().find(|(known, _)| *known == name);
        variable.filter(|_| !self.locals.contains(&name)).map(|(_, kind)| *kind)
    }

    fn name(&mut self, at: &Expression, name: &str) {
        if self.locals.contains(&name) || self.kind(name).is_some() || TYPES.contains(&name) {
            return;
        }
        let known: Vec<_> =
            self.locals.iter().copied().chain(self.variables.iter().map(|(name, _)| *name)).collect();
        let known: Vec<_> = known.into_iter().filter(|name| !name.starts_with('@')).collect();
        self.fault(at, format!("unknown variable \"{name}\"; {}", suggest::instead(name, &known)));
    }

    fn select(&mut self, at: &'a Expression, select: &'a SelectExpr) {
        self.expression(&select.operand);
        self.field(at, &select.operand, &select.field);
    }

    /// A field of a variable whose fields are known.
    fn field(&mut self, at: &Expression, of: &Expression, field: &str) {
        if let Expr::Ident(name) = &of.expr
            && let Some(Kind::Record(fields)) = self.kind(name)
            && !fields.contains(&field)
        {
            self.fault(at, format!("{name} has no field \"{field}\"; {}", suggest::instead(field, fields)));
        }
    }

    fn call(&mut self, at: &'a Expression, call: &'a CallExpr) {
        if let Some((name, usage)) = MACROS.iter().find(|(known, _)| *known == call.func_name) {
            // Its arguments name no variables.
            return self.fault(at, format!("{name}() must be written {usage}"));
        }
        let family = call.target.as_deref().is_some_and(|target| self.is_family(target));
        if !family {
            call.target.iter().for_each(|target| self.expression(target));
        }
        call.args.iter().for_each(|arg| self.expression(arg));
        let name = call.func_name.as_str();
        match (name, call.args.as_slice()) {
            (
                operators::OPT_SELECT,
                [of, Expression { expr: Expr::Literal(LiteralValue::String(field)), .. }],
            ) => {
                self.field(at, of, field);
            }
            ("matches", [.., pattern]) => self.pattern(pattern),
            _ => {}
        }
        if name.starts_with(|first: char| first.is_ascii_alphabetic()) {
            let functions = if family { OPTIONAL } else { FUNCTIONS };
            if let Some(message) = wrong(functions, call, family) {
                self.fault(at, message);
            }
        }
    }

    fn is_family(&self, target: &Expression) -> bool {
        matches!(&target.expr, Expr::Ident(name) if name == "optional" && !self.locals.contains(&name.as_str()))
    }

    fn pattern(&mut self, pattern: &Expression) {
        let Expr::Literal(LiteralValue::String(text)) = &pattern.expr else {
            self.fault(
                pattern,
                "the pattern must be a string literal, because it is compiled at startup".to_owned(),
            );
            return;
        };
        if let Err(message) = Pattern::new(text) {
            self.fault(pattern, message);
        }
    }

    fn comprehension(&mut self, at: &'a Expression, loops: &'a ComprehensionExpr) {
        self.expression(&loops.iter_range);
        self.expression(&loops.accu_init);
        let outside = self.locals.len();
        self.loops += 1;
        if self.loops > MAX_LOOPS {
            self.fault(at, format!("loops can be nested at most {MAX_LOOPS} deep"));
        }
        self.locals.extend([loops.accu_var.as_str(), loops.iter_var.as_str()]);
        for part in [&loops.loop_cond, &loops.loop_step, &loops.result] {
            self.expression(part);
        }
        self.loops -= 1;
        self.locals.truncate(outside);
    }
}

/// Returns the fault of a call by its name and the number of its arguments.
fn wrong(functions: &[Function], call: &CallExpr, family: bool) -> Option<String> {
    let name = call.func_name.as_str();
    let shown = if family { format!("optional.{name}") } else { name.to_owned() };
    let Some(function) = functions.iter().find(|function| function.name == name) else {
        let meant = SYNONYMS.iter().find(|(synonym, _)| *synonym == name).filter(|_| !family);
        let names: Vec<_> = functions.iter().map(|function| function.name).collect();
        let instead = match meant {
            Some((_, usage)) => format!("write {usage}"),
            None => suggest::instead(name, &names),
        };
        return Some(format!("unknown function \"{shown}\"; {instead}"));
    };
    let member = call.target.is_some() && !family;
    let (counts, others) =
        if member { (function.member, function.global) } else { (function.global, function.member) };
    if counts.contains(&call.args.len()) {
        return None;
    }
    if counts.is_empty() && !others.is_empty() {
        let usage = if member { format!("{name}(x)") } else { format!("x.{name}(…)") };
        return Some(format!("{name}() must be called as {usage}"));
    }
    let wanted: Vec<_> = counts.iter().map(usize::to_string).collect();
    let plural = if counts == [1] { "" } else { "s" };
    Some(format!("{shown}() takes {} argument{plural}, not {}", wanted.join(" or "), call.args.len()))
}

/// The number of steps of an expression.
pub(super) fn count(expression: &Expression) -> usize {
    children(expression).fold(1, |sum, child| sum + count(child))
}

/// The depth of an expression.
pub(super) fn depth(expression: &Expression) -> usize {
    children(expression).map(depth).max().unwrap_or(0) + 1
}

/// Returns true if an expression uses this name, as a local variable or as a variable of the callback.
pub(super) fn names(expression: &Expression, variable: &str) -> bool {
    matches!(&expression.expr, Expr::Ident(name) if name == variable)
        || children(expression).any(|child| names(child, variable))
}

/// The parts of an expression.
fn children(expression: &Expression) -> Box<dyn Iterator<Item = &Expression> + '_> {
    match &expression.expr {
        Expr::Call(call) => Box::new(call.target.iter().map(|target| &**target).chain(&call.args)),
        Expr::Select(select) => Box::new(std::iter::once(&*select.operand)),
        Expr::List(list) => Box::new(list.elements.iter()),
        Expr::Map(map) => Box::new(map.entries.iter().flat_map(|entry| entry_parts(&entry.expr))),
        Expr::Struct(made) => Box::new(made.entries.iter().flat_map(|entry| entry_parts(&entry.expr))),
        Expr::Comprehension(loops) => Box::new(
            [&loops.iter_range, &loops.accu_init, &loops.loop_cond, &loops.loop_step, &loops.result]
                .into_iter(),
        ),
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => Box::new(std::iter::empty()),
    }
}

fn entry_parts(entry: &EntryExpr) -> impl Iterator<Item = &Expression> {
    let (key, value) = match entry {
        EntryExpr::MapEntry(entry) => (Some(&entry.key), &entry.value),
        EntryExpr::StructField(field) => (None, &field.value),
    };
    key.into_iter().chain([value])
}
