//! Makes an expression charge for its work. The parsed expression is rewritten once, so that functions charge the run's
//! budget for the values that it makes and that its loops visit. The meaning of the expression does not change.
//!
//! Loops over lists keep the shapes that the library recognises: it then appends in place instead of copying.

use cel::IdedExpr as Expression;
use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, ListExpr, LiteralValue, MapExpr, SelectExpr, operators,
};
use cel::common::types::{CelInt, CelString};

use super::check::count;
use super::language::{ADD, EACH, HAS, JOIN, MATCHES, REPLACE, SPEND, SPLIT};
use super::names::{BUDGET, PATTERN, WHOLE};
use super::pattern::Pattern;

/// Calls that return an argument, or a part of it.
const FREE: &[&str] = &[
    operators::LOGICAL_AND,
    operators::LOGICAL_OR,
    operators::LOGICAL_NOT,
    operators::CONDITIONAL,
    operators::NOT_STRICTLY_FALSE,
    operators::INDEX,
    operators::OPT_INDEX,
    operators::OPT_SELECT,
];

/// Calls that read their first argument without copying it.
const LOOKING: &[&str] = &[operators::INDEX, operators::OPT_INDEX, operators::OPT_SELECT];

/// Calls that make a text or a list about as large as their arguments.
const MAKING: &[&str] = &["lowerAscii", "upperAscii", "trim", "substring", "string", "of"];

/// Calls that charge by themselves.
const PAYING: &[(&str, &str)] =
    &[(operators::ADD, ADD), ("split", SPLIT), ("replace", REPLACE), ("join", JOIN)];

/// Rewrites one expression.
pub(super) struct Meter<'a> {
    /// The variables that are JSON objects.
    json: &'a [&'a str],
    /// The patterns, in the order they were met.
    pub(super) patterns: Vec<Pattern>,
    /// The names that enclosing loops declare.
    locals: Vec<String>,
    in_loop: bool,
}

impl<'a> Meter<'a> {
    pub(super) fn new(json: &'a [&'a str]) -> Self {
        Self { json, patterns: Vec::new(), locals: Vec::new(), in_loop: false }
    }

    /// Rewrites an expression so that it charges.
    pub(super) fn value(&mut self, expression: Expression) -> Expression {
        let Expression { id, expr } = expression;
        let made = match expr {
            Expr::Ident(name) if self.is_json(&name) => Expr::Ident(format!("{WHOLE}{name}")),
            Expr::Select(select) => self.select(id, select),
            Expr::List(list) if !list.elements.is_empty() => return self.paid(id, |meter| meter.list(list)),
            Expr::Map(map) => return self.paid(id, |meter| meter.map(map)),
            Expr::Call(call) => return self.call(id, call),
            Expr::Comprehension(comprehension) => self.comprehension(id, *comprehension),
            other @ (Expr::Ident(_)
            | Expr::List(_)
            | Expr::Literal(_)
            | Expr::Struct(_)
            | Expr::Unspecified) => other,
        };
        Expression { id, expr: made }
    }

    /// Rewrites an expression of which only a part is used.
    fn looked_into(&mut self, expression: Expression) -> Expression {
        if let Expr::Ident(_) = expression.expr { expression } else { self.value(expression) }
    }

    fn is_json(&self, name: &str) -> bool {
        self.json.contains(&name) && !self.locals.iter().any(|local| local == name)
    }

    fn select(&mut self, id: u64, select: SelectExpr) -> Expr {
        let operand = self.looked_into(*select.operand);
        if select.test {
            let field = literal(id, LiteralValue::String(CelString::from(select.field)));
            return call(HAS, vec![operand, field]);
        }
        Expr::Select(SelectExpr { operand: Box::new(operand), ..select })
    }

    fn list(&mut self, list: ListExpr) -> Expr {
        let elements = list.elements.into_iter().map(|element| self.value(element)).collect();
        Expr::List(ListExpr { elements, ..list })
    }

    fn map(&mut self, mut map: MapExpr) -> Expr {
        for entry in &mut map.entries {
            if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                entry.key = self.value(std::mem::take(&mut entry.key));
                entry.value = self.value(std::mem::take(&mut entry.value));
            }
        }
        Expr::Map(map)
    }

    fn call(&mut self, id: u64, call: CallExpr) -> Expression {
        let name = call.func_name.as_str();
        if FREE.contains(&name) {
            let looks = LOOKING.contains(&name);
            let args = call.args.into_iter().enumerate();
            let args = args
                .map(|(at, arg)| if looks && at == 0 { self.looked_into(arg) } else { self.value(arg) })
                .collect();
            return Expression { id, expr: Expr::Call(CallExpr { args, ..call }) };
        }
        if name == "matches" {
            return self.matches(id, call);
        }
        if let Some((_, paying)) = PAYING.iter().find(|(known, _)| *known == name) {
            let args = call.target.map(|target| *target).into_iter().chain(call.args);
            let args: Vec<_> = [budget(id)].into_iter().chain(args.map(|arg| self.value(arg))).collect();
            return Expression { id, expr: self::call(paying, args) };
        }
        let args = if self.in_loop { Self::looked_at } else { Self::value };
        if MAKING.contains(&name) {
            return self.paid(id, |meter| Expr::Call(meter.arguments(call, args)));
        }
        Expression { id, expr: Expr::Call(self.arguments(call, args)) }
    }

    /// Rewrites target and arguments, except a target that names a family of functions.
    fn arguments(&mut self, call: CallExpr, rewrite: fn(&mut Self, Expression) -> Expression) -> CallExpr {
        let target = call.target.map(|target| {
            let family = matches!(&target.expr, Expr::Ident(name) if name == "optional");
            if family { target } else { Box::new(rewrite(self, *target)) }
        });
        // The value that is searched need not be copied.
        let within = call.func_name == operators::IN;
        let args = call.args.into_iter().enumerate();
        let args = args.map(|(at, arg)| {
            let bare = within && at == 1 && matches!(arg.expr, Expr::Ident(_));
            if bare && !self.in_loop { arg } else { rewrite(self, arg) }
        });
        let args = args.collect();
        CallExpr { target, args, ..call }
    }

    /// Rewrites an argument in a loop, where even reading a large value adds up.
    fn looked_at(&mut self, argument: Expression) -> Expression {
        if let Expr::Literal(_) = argument.expr {
            return argument;
        }
        let id = argument.id;
        let value = self.value(argument);
        Expression { id, expr: call(SPEND, vec![budget(id), value]) }
    }

    /// Compiles a pattern, and replaces it in the expression by its number.
    fn matches(&mut self, id: u64, call: CallExpr) -> Expression {
        let mut args = call.target.map(|target| *target).into_iter().chain(call.args);
        let (Some(text), Some(pattern)) = (args.next(), args.next()) else { return Expression::default() };
        let text = self.value(text);
        if let Expr::Literal(LiteralValue::String(literal)) = &pattern.expr
            && let Ok(compiled) = Pattern::new(literal)
        {
            self.patterns.push(compiled);
        }
        let number = self.patterns.len().saturating_sub(1);
        let pattern = Expression { id: pattern.id, expr: Expr::Ident(format!("{PATTERN}{number}")) };
        Expression { id, expr: self::call(MATCHES, vec![budget(id), text, pattern]) }
    }

    fn comprehension(&mut self, id: u64, loops: ComprehensionExpr) -> Expr {
        let body = count(&loops.loop_step) + count(&loops.loop_cond);
        let range = self.value(loops.iter_range);
        let body = literal(id, LiteralValue::Int(CelInt::from(i64::try_from(body).unwrap_or(i64::MAX))));
        let iter_range = Expression { id, expr: call(EACH, vec![budget(id), range, body]) };
        let accu_init = self.value(loops.accu_init);
        let outside = (self.locals.len(), self.in_loop);
        self.locals.push(loops.accu_var.clone());
        let result = self.value(loops.result);
        self.locals.push(loops.iter_var.clone());
        self.in_loop = true;
        let loop_step = self.step(&loops.accu_var, loops.loop_step);
        self.locals.truncate(outside.0);
        self.in_loop = outside.1;
        Expr::Comprehension(Box::new(ComprehensionExpr { iter_range, accu_init, loop_step, result, ..loops }))
    }

    /// Rewrites the step of a loop. The shapes of `map` and `filter` stay, and each value that they append is charged
    /// for.
    fn step(&mut self, accumulator: &str, step: Expression) -> Expression {
        let is_accumulator =
            |expression: &Expression| matches!(&expression.expr, Expr::Ident(name) if name == accumulator);
        let Expression { id, expr: Expr::Call(mut call) } = step else { return self.value(step) };
        match (call.func_name.as_str(), call.args.as_mut_slice()) {
            (operators::CONDITIONAL, [guard, then, otherwise]) if is_accumulator(otherwise) => {
                *guard = self.value(std::mem::take(guard));
                *then = self.step(accumulator, std::mem::take(then));
            }
            (operators::ADD, [sum, Expression { expr: Expr::List(list), .. }]) if is_accumulator(sum) => {
                for element in &mut list.elements {
                    *element = self.looked_at(std::mem::take(element));
                }
            }
            (operators::ADD, [sum, _]) if is_accumulator(sum) => {}
            _ => return self.call(id, call),
        }
        Expression { id, expr: Expr::Call(call) }
    }

    /// Makes an expression with `make` that charges for its value.
    fn paid(&mut self, id: u64, make: impl FnOnce(&mut Self) -> Expr) -> Expression {
        let expression = Expression { id, expr: make(self) };
        Expression { id, expr: call(SPEND, vec![budget(id), expression]) }
    }
}

fn call(name: &str, args: Vec<Expression>) -> Expr {
    Expr::Call(CallExpr { func_name: name.to_owned(), target: None, args })
}

fn budget(id: u64) -> Expression {
    Expression { id, expr: Expr::Ident(BUDGET.to_owned()) }
}

fn literal(id: u64, value: LiteralValue) -> Expression {
    Expression { id, expr: Expr::Literal(value) }
}
