//! `functools` and `operator`, and the names of `itertools`, carried out on static values: iterators
//! are lists.

use std::collections::HashSet;
use std::rc::Rc;

use super::arguments::{Bound, Call};
use super::value::{Endless, Module, Partial, Sequence, Value};
use super::{Lower, Lowered, MAX_CONTAINER_DEPTH};
use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::Operator;

/// What decorators such as `lru_cache(maxsize=None)` leave to be called.
pub(super) const IDENTITY: &str = "functools.identity";

const ITEM_GETTER: &str = "operator.itemgetter(...)";

/// Every function of the three modules.
const FUNCTIONS: [&str; 29] = [
    "functools.reduce",
    "functools.partial",
    "functools.lru_cache",
    "functools.cache",
    "functools.wraps",
    "itertools.accumulate",
    "itertools.chain",
    "itertools.combinations",
    "itertools.combinations_with_replacement",
    "itertools.count",
    "itertools.islice",
    "itertools.pairwise",
    "itertools.permutations",
    "itertools.product",
    "itertools.repeat",
    "itertools.starmap",
    "itertools.zip_longest",
    "operator.add",
    "operator.sub",
    "operator.mul",
    "operator.truediv",
    "operator.floordiv",
    "operator.mod",
    "operator.pow",
    "operator.matmul",
    "operator.neg",
    "operator.abs",
    "operator.getitem",
    "operator.itemgetter",
];

const FROM_ITERABLE: &str = "itertools.chain.from_iterable";

/// Keyword arguments with the places where they are given.
type Keywords = Vec<(String, Value, Span)>;

/// Adds the keywords that a function remembers to those that are given, which come first.
fn add_remembered(given: &mut Keywords, remembered: &Keywords) {
    let names: HashSet<&str> = given.iter().map(|(name, ..)| name.as_str()).collect();
    let kept = remembered
        .iter()
        .filter(|(name, ..)| !names.contains(name.as_str()));
    let kept: Keywords = kept.cloned().collect();
    given.extend(kept);
}

impl Lower<'_> {
    /// A member of `functools`, `itertools` or `operator`.
    pub(super) fn library_function(
        &mut self,
        module: Module,
        name: &str,
        span: Span,
    ) -> Lowered<Value> {
        let own = |known: &&&str| {
            known
                .strip_prefix(module.name())
                .and_then(|rest| rest.strip_prefix('.'))
                == Some(name)
        };
        if let Some(known) = FUNCTIONS.iter().find(own) {
            return Ok(Value::Builtin(known));
        }
        let help = match name {
            "cycle" | "takewhile" | "dropwhile" | "groupby" | "tee" | "compress"
            | "filterfalse" => "use a comprehension or a `for` loop",
            "cmp_to_key" => "give a function of one item: `key=lambda x: ...`",
            "total_ordering" | "singledispatch" | "cached_property" | "update_wrapper" => {
                "a reward needs functions and numbers only: remove it"
            }
            _ => "use Python's own operators and loops",
        };
        Err(self.fail(
            Draft::new(
                Kind::UnknownOperation,
                span,
                format!(
                    "`{}.{name}` is not part of the reward language",
                    module.name()
                ),
            )
            .help(help),
        ))
    }

    /// `itertools.chain.from_iterable`, the one function that has a member.
    pub(super) fn builtin_member(
        &mut self,
        function: &str,
        name: &str,
        span: Span,
    ) -> Lowered<Value> {
        if function == "itertools.chain" && name == "from_iterable" {
            return Ok(Value::Builtin(FROM_ITERABLE));
        }
        Err(self.fail(
            Draft::new(
                Kind::UnknownOperation,
                span,
                format!("there is no attribute `{name}`"),
            )
            .found(format!("the function `{function}`"))
            .help("call the function itself"),
        ))
    }

    /// A function with arguments that it remembers.
    pub(super) fn remembering(
        &mut self,
        name: String,
        function: Value,
        mut positional: Vec<Value>,
        mut keywords: Keywords,
        span: Span,
    ) -> Lowered<Value> {
        let mut function = function;
        // One that remembers already hands its arguments on, so that calls do not nest.
        if let Value::Partial(inner) = &function {
            self.charge(inner.positional.items.len() + inner.keywords.len())?;
            positional.splice(0..0, inner.positional.items.iter().cloned());
            add_remembered(&mut keywords, &inner.keywords);
            function = inner.function.clone();
        }
        self.charge(positional.len() + keywords.len())?;
        let named = keywords.iter().map(|(_, value, _)| value.depth()).max();
        let positional = Sequence::new(positional);
        let depth = positional.depth.max(named.unwrap_or(0).saturating_add(1));
        if depth > MAX_CONTAINER_DEPTH {
            return Err(self.too_deep(span));
        }
        Ok(Value::Partial(Rc::new(Partial {
            name,
            function,
            positional,
            keywords,
            depth,
        })))
    }

    /// Calls a function that remembers arguments.
    pub(super) fn call_partial(&mut self, partial: &Partial, call: Call) -> Lowered<Value> {
        let span = call.span;
        self.charge(partial.positional.items.len() + partial.keywords.len())?;
        let remembered = partial.positional.items.iter().cloned();
        let mut positional: Vec<(Value, Span)> = remembered.map(|value| (value, span)).collect();
        positional.extend(call.positional);
        let mut keywords = call.keywords;
        add_remembered(&mut keywords, &partial.keywords);
        self.call_value(
            &partial.function,
            Call {
                name: partial.name.clone(),
                span,
                positional,
                keywords,
            },
        )
    }

    /// Calls a function of the three modules.
    pub(super) fn library(&mut self, name: &str, call: Call) -> Lowered<Value> {
        let span = call.span;
        match name {
            "functools.partial" => return self.partial(call),
            "itertools.chain" => {
                let mut items = Vec::new();
                for (value, span) in call.positional {
                    items.extend(self.iterate(value, span)?);
                }
                return Ok(self.new_list(items));
            }
            "itertools.product" => return self.cartesian(call),
            "itertools.zip_longest" => return self.zip_longest(call),
            ITEM_GETTER => return self.get_items(call),
            _ => {}
        }
        let parameters = match name {
            "functools.reduce" => "function iterable initial?",
            "functools.lru_cache" => "maxsize? typed?",
            "functools.wraps" => "wrapped assigned? updated?",
            "itertools.accumulate" => "iterable function? initial?",
            "itertools.combinations" | "itertools.combinations_with_replacement" => "iterable r",
            "itertools.permutations" => "iterable r?",
            "itertools.count" => "start? step?",
            "itertools.islice" => "iterable start stop? step?",
            "itertools.repeat" => "object times?",
            "itertools.starmap" => "function iterable",
            "operator.itemgetter" => "item *items",
            "operator.neg" | "operator.abs" => "a",
            _ if name.starts_with("operator.") => "a b",
            _ => "iterable",
        };
        let b = Bound::new(self, call, parameters)?;
        let first = b.given(0).cloned().unwrap_or(Value::None);
        match name {
            "functools.lru_cache" | "functools.cache" | IDENTITY => Ok(match first {
                Value::None | Value::Int(_) => Value::Builtin(IDENTITY),
                decorated => decorated,
            }),
            "functools.wraps" => Ok(Value::Builtin(IDENTITY)),
            "functools.reduce" => {
                let items = b.given(1).cloned().unwrap_or(Value::None);
                let items = self.iterate(items, b.span_of(1))?;
                let mut steps = self.accumulated(&first, items, b.given(2).cloned(), &b)?;
                match steps.pop() {
                    Some(last) => Ok(last),
                    None => Err(self.fail(
                        Draft::new(Kind::Argument, span, "`reduce` of nothing has no value")
                            .help("give a first value: `reduce(function, items, 0.0)`"),
                    )),
                }
            }
            "itertools.accumulate" => {
                let items = self.iterate(first, b.span_of(0))?;
                let sum = Value::Builtin("operator.add");
                let function = b.get(1).cloned().unwrap_or(sum);
                let steps = self.accumulated(&function, items, b.get(2).cloned(), &b)?;
                Ok(self.new_list(steps))
            }
            FROM_ITERABLE => {
                let mut items = Vec::new();
                for inner in self.iterate(first, span)? {
                    items.extend(self.iterate(inner, span)?);
                }
                Ok(self.new_list(items))
            }
            "itertools.pairwise" => {
                let items = self.iterate(first, span)?;
                let rows = items.windows(2).map(<[Value]>::to_vec).collect();
                self.listed_rows(rows, span)
            }
            "itertools.starmap" => {
                let rows = b.given(1).cloned().unwrap_or(Value::None);
                let mut results = Vec::new();
                for row in self.iterate(rows, b.span_of(1))? {
                    let arguments = self.iterate(row, b.span_of(1))?;
                    results.push(self.apply(&first, arguments, span)?);
                }
                Ok(self.new_list(results))
            }
            "itertools.repeat" => match b.get(1) {
                Some(_) => {
                    let times = usize::try_from(b.integer(self, 1, 0)?).unwrap_or(0);
                    self.charge(times)?;
                    Ok(self.new_list(vec![first; times]))
                }
                None => {
                    self.check_depth(std::slice::from_ref(&first), span)?;
                    let depth = first.depth().saturating_add(1);
                    let repeat = Endless::Repeat { item: first, depth };
                    Ok(Value::Endless(Rc::new(repeat)))
                }
            },
            "itertools.count" => {
                let (start, step) = (b.integer(self, 0, 0)?, b.integer(self, 1, 1)?);
                Ok(Value::Endless(Rc::new(Endless::Count { start, step })))
            }
            "itertools.islice" => self.sliced(first, &b),
            "itertools.combinations"
            | "itertools.combinations_with_replacement"
            | "itertools.permutations" => self.choices(name, first, &b),
            "operator.itemgetter" => {
                let mut keys = vec![first];
                if let Some(Value::Tuple(rest)) = b.given(1) {
                    keys.extend(rest.items.iter().cloned());
                }
                let getter = Value::Builtin(ITEM_GETTER);
                let keys = vec![Value::tuple(keys)];
                self.remembering("itemgetter".to_owned(), getter, keys, Vec::new(), span)
            }
            _ => {
                let second = b.given(1).cloned().unwrap_or(Value::None);
                self.operator(name, first, second, span)
            }
        }
    }

    fn operator(&mut self, name: &str, a: Value, b: Value, span: Span) -> Lowered<Value> {
        let op = match name {
            "operator.add" => Operator::Add,
            "operator.sub" => Operator::Sub,
            "operator.mul" => Operator::Mult,
            "operator.truediv" => Operator::Div,
            "operator.floordiv" => Operator::FloorDiv,
            "operator.mod" => Operator::Mod,
            "operator.pow" => Operator::Pow,
            "operator.matmul" => Operator::MatMult,
            "operator.neg" => {
                return self.binary_operator(Operator::Mult, Value::Int(-1), a, span);
            }
            "operator.abs" => {
                return self.apply(&Value::Builtin("abs"), vec![a], span);
            }
            _ => return self.item_of(a, &b, span),
        };
        self.binary_operator(op, a, b, span)
    }

    fn partial(&mut self, call: Call) -> Lowered<Value> {
        let span = call.span;
        let mut values = call.positional.into_iter().map(|(value, _)| value);
        let function = match values.next() {
            Some(
                function @ (Value::Function(_)
                | Value::NumpyFunction(_)
                | Value::MathFunction(_)
                | Value::Builtin(_)
                | Value::Local(_)
                | Value::Partial(_)),
            ) => function,
            other => {
                return Err(self.fail(
                    Draft::new(Kind::Type, span, "`partial` needs a function first")
                        .found(other.unwrap_or(Value::None).describe()),
                ));
            }
        };
        let name = match &function {
            Value::Local(local) => self.locals[*local].name.to_owned(),
            Value::Function(known) | Value::NumpyFunction(known) | Value::MathFunction(known) => {
                known.name.to_owned()
            }
            _ => "partial".to_owned(),
        };
        self.remembering(name, function, values.collect(), call.keywords, span)
    }

    /// The value after each item; the initial one first, if there is one.
    fn accumulated(
        &mut self,
        function: &Value,
        items: Vec<Value>,
        initial: Option<Value>,
        b: &Bound,
    ) -> Lowered<Vec<Value>> {
        let mut results: Vec<Value> = Vec::new();
        results.extend(initial);
        for item in items {
            let next = match results.last() {
                Some(so_far) => self.apply(function, vec![so_far.clone(), item], b.span)?,
                None => item,
            };
            results.push(next);
        }
        Ok(results)
    }

    /// What `itemgetter(...)` does when it is called.
    fn get_items(&mut self, call: Call) -> Lowered<Value> {
        let span = call.span;
        let b = Bound::new(self, call, "keys object")?;
        let object = b.given(1).cloned().unwrap_or(Value::None);
        let keys = match b.given(0) {
            Some(Value::Tuple(keys)) => keys.items.to_vec(),
            _ => Vec::new(),
        };
        let mut found = Vec::with_capacity(keys.len());
        for key in &keys {
            found.push(self.item_of(object.clone(), key, span)?);
        }
        match <[Value; 1]>::try_from(found) {
            Ok([one]) => Ok(one),
            Err(several) => {
                self.check_depth(&several, span)?;
                Ok(Value::tuple(several))
            }
        }
    }

    /// `object[key]` of values.
    fn item_of(&mut self, object: Value, key: &Value, span: Span) -> Lowered<Value> {
        if let Value::Dict(dict) = object {
            self.check_key(key, span)?;
            return match self.entry(dict, key)? {
                Some(value) => Ok(value),
                None => Err(self.no_such_key(dict, key, span)),
            };
        }
        let items = self.iterate(object, span)?;
        let index = self.integer_argument(key, span)?;
        match super::gather::wrap_index(index, items.len()) {
            Some(position) => Ok(items[position].clone()),
            None => Err(self.out_of_range(index, items.len(), span)),
        }
    }
}
