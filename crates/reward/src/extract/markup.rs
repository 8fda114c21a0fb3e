//! What web pages, mail and consoles put around code.

use super::code::{indent, is_program_line};
use super::source::Source;

/// Letters that markup writes in words.
const ENTITIES: [(&str, &str); 9] = [
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&amp;", "&"),
    ("&quot;", "\""),
    ("&apos;", "'"),
    ("&#39;", "'"),
    ("&#x27;", "'"),
    ("&#34;", "\""),
    ("&nbsp;", " "),
];
/// Tags that hold code or text. Others may be placeholders, which are mistakes.
const TAGS: [&str; 36] = [
    "a",
    "answer",
    "b",
    "blockquote",
    "body",
    "br",
    "div",
    "document",
    "em",
    "file",
    "final",
    "function",
    "h1",
    "h2",
    "h3",
    "h4",
    "html",
    "i",
    "invoke",
    "item",
    "li",
    "ol",
    "output",
    "p",
    "parameter",
    "parameters",
    "pre",
    "py",
    "response",
    "result",
    "script",
    "source",
    "span",
    "strong",
    "tool_call",
    "ul",
];
/// Parts of names of such tags.
const TAG_WORDS: [&str; 8] = [
    "code", "program", "reward", "python", "stage", "artifact", "guidance", "content",
];

/// The text without tags around its lines, quotation marks before them and letters in words.
pub(super) fn unwrapped(source: &Source) -> Source {
    let lines = source.lines();
    let texts = || {
        let texts = lines.iter().map(|line| source.text[line.clone()].trim());
        texts.filter(|text| text.starts_with('>') && !text.starts_with(">>>"))
    };
    // One blank belongs to the mark, if every mark has one.
    let is_spaced = texts().all(|text| text[1..].is_empty() || text[1..].starts_with([' ', '>']));
    let is_quoted = texts().any(|text| {
        let inner = unquoted(text, is_spaced);
        is_program_line(inner) || inner.starts_with("```")
    });
    let mut out = Source::default();
    for range in lines {
        let line = &source.text[range.clone()];
        let mut start = range.start;
        if is_quoted {
            let blanks = indent(line);
            let inner = unquoted(&line[blanks..], is_spaced);
            if inner.len() < line.len() - blanks {
                start = range.end - inner.len();
            }
        }
        let line = &source.text[start..range.end];
        let blanks = indent(line);
        let mut tags = 0;
        while let Some(length) = tag(&line[blanks + tags..]) {
            tags += length;
        }
        if tags > 0 {
            // Blanks before a tag are not those of the code behind it.
            start += blanks + tags;
        }
        let written = source.text[start..range.end].trim_end();
        let mut end = start + written.len();
        while let Some(length) = closing_tag(&source.text[start..end]) {
            end -= length;
        }
        push_plain(&mut out, source, start, end);
        out.push(source, start + written.len()..range.end);
    }
    out
}

/// A line without the quotation marks of mail and Markdown.
fn unquoted(mut line: &str, is_spaced: bool) -> &str {
    while line.starts_with('>') && !line.starts_with(">>>") {
        line = &line[1..];
        if is_spaced {
            line = line.strip_prefix(' ').unwrap_or(line);
        }
    }
    line
}

/// The length of the tag that a line begins with.
fn tag(line: &str) -> Option<usize> {
    for frame in ["<![CDATA[", "]]>"] {
        if line.starts_with(frame) {
            return Some(frame.len());
        }
    }
    let inner = line.strip_prefix('<')?;
    let end = inner.char_indices().take(200).find(|&(_, c)| c == '>')?.0;
    if inner.starts_with('?') {
        return Some(end + 2);
    }
    let tag = inner[..end].trim_start_matches('/').trim_end_matches('/');
    let (name, attributes) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
    let fits = attributes.trim().is_empty() || attributes.contains('=');
    (fits && is_tag_name(name)).then_some(end + 2)
}

/// The length of the closing tag that a line ends with.
fn closing_tag(line: &str) -> Option<usize> {
    if line.ends_with("]]>") {
        return Some(3);
    }
    let inner = line.strip_suffix('>')?;
    let start = inner.bytes().rev().take(60).position(|b| b == b'<')?;
    let tag = &inner[inner.len() - start..];
    let name = tag
        .strip_prefix('/')
        .or_else(|| tag.trim_end_matches(['/', ' ']).eq("br").then_some("br"))?;
    is_tag_name(name.trim()).then_some(start + 2)
}

fn is_tag_name(name: &str) -> bool {
    let name = name.rsplit(':').next().unwrap_or(name).to_ascii_lowercase();
    TAGS.contains(&name.as_str())
        || (name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
            && TAG_WORDS.iter().any(|word| name.contains(word)))
}

/// Adds a part with the letters that markup wrote in words.
fn push_plain(out: &mut Source, source: &Source, start: usize, end: usize) {
    let text = &source.text[..end];
    let (mut copied, mut at) = (start, start);
    while let Some(next) = text[at..].find('&') {
        at += next;
        let entity = ENTITIES
            .iter()
            .find(|(name, _)| text[at..].starts_with(name));
        let Some((name, letter)) = entity else {
            at += 1;
            continue;
        };
        out.push(source, copied..at);
        out.push_str(letter, source.origin(at));
        at += name.len();
        copied = at;
    }
    out.push(source, copied..end);
}

/// A block of code without a console's prompts, line numbers, and the blanks that all lines share.
pub(super) fn cleaned(block: &Source) -> Source {
    let block = without_numbers(without_prompts(block));
    let lines = block.lines();
    let written = || {
        let texts = lines.iter().map(|line| &block.text[line.clone()]);
        texts.filter(|line| !line.trim().is_empty())
    };
    let shared = written().map(indent).min().unwrap_or(0);
    from_column(&block, |line| shared.min(indent(line)))
}

/// The block without the first `count` bytes of each line.
fn from_column(block: &Source, count: impl Fn(&str) -> usize) -> Source {
    let mut out = Source::default();
    for line in block.lines() {
        let skipped = count(&block.text[line.clone()]);
        out.push(block, line.start + skipped..line.end);
    }
    out
}

/// Input of a console without its prompts and without its output.
fn without_prompts(block: &Source) -> Source {
    let is_session = block
        .text
        .lines()
        .any(|line| prompt(line).is_some() && !line.trim_start().starts_with("..."));
    if !is_session {
        return block.clone();
    }
    let mut out = Source::default();
    for line in block.lines() {
        if let Some(length) = prompt(&block.text[line.clone()]) {
            out.push(block, line.start + length..line.end);
        }
    }
    out
}

/// The length of a console's prompt.
fn prompt(line: &str) -> Option<usize> {
    let blanks = indent(line);
    let rest = &line[blanks..];
    let mark = if rest.starts_with(">>>") || rest.starts_with("...") {
        let colon = usize::from(rest[3..].starts_with(':'));
        3 + colon
    } else {
        let number = rest.strip_prefix("In [")?;
        let digits = number.bytes().take_while(u8::is_ascii_digit).count();
        number[digits..]
            .starts_with("]:")
            .then_some(4 + digits + 2)?
    };
    let space = usize::from(rest[mark..].starts_with(' '));
    let ends = rest[mark..].trim().is_empty();
    (space == 1 || ends).then_some(blanks + mark + space)
}

/// Lines without the numbers that count them.
fn without_numbers(block: Source) -> Source {
    let number = |line: &str| {
        let blanks = indent(line);
        let digits = line[blanks..]
            .bytes()
            .take_while(u8::is_ascii_digit)
            .count();
        let rest = &line[blanks + digits..];
        let mark = usize::from(rest.starts_with(['|', ':', '.', ')']));
        // After blanks a line may go on with a bar, as in `1 | x`.
        let bar = rest.trim_start_matches(' ');
        let mark = match bar.strip_prefix(['|', '\u{2502}']) {
            Some(after) if mark == 0 => rest.len() - after.len(),
            _ => mark,
        };
        let value: usize = line[blanks..blanks + digits].parse().ok()?;
        Some((value, blanks + digits + mark))
    };
    let mut last = None;
    let mut count = 0;
    for line in block.text.lines().filter(|line| !line.trim().is_empty()) {
        let Some((value, _)) = number(line) else {
            return block;
        };
        if last.is_some_and(|last| value <= last || value > last + 20) {
            return block;
        }
        last = Some(value);
        count += 1;
    }
    if count < 2 {
        return block;
    }
    from_column(&block, |line| number(line).map_or(0, |(_, length)| length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(text: &str) -> String {
        cleaned(&unwrapped(&Source::whole(text))).text
    }

    #[test]
    fn what_stands_around_code_goes() {
        let code =
            "num_stages = 1\ndef stage1_guidance(k, a):\n    if 1 < 2 and 'a':\n        return a\n";
        let lines: Vec<&str> = code.lines().collect();
        let with = |f: &dyn Fn(usize, &str) -> String| {
            let all = lines.iter().enumerate();
            all.map(|(i, line)| f(i, line) + "\n").collect::<String>()
        };
        let cases = [
            ("as it is", code.to_owned()),
            ("indented", with(&|_, l| format!("    {l}"))),
            ("quoted", with(&|_, l| format!("> {l}"))),
            ("quoted twice", with(&|_, l| format!("> > {l}"))),
            ("quoted tightly", with(&|_, l| format!(">{l}"))),
            (
                "console",
                with(&|i, l| format!("{} {l}", if i < 2 { ">>>" } else { "..." })),
            ),
            (
                "notebook",
                with(&|i, l| {
                    if i == 0 {
                        format!("In [1]: {l}")
                    } else {
                        format!("   ...: {l}")
                    }
                }),
            ),
            ("numbered", with(&|i, l| format!("{} {l}", i + 1))),
            (
                "numbered with points",
                with(&|i, l| format!("{:2}. {l}", i + 1)),
            ),
            (
                "numbered with bars",
                with(&|i, l| format!("{:3} | {l}", i + 8)),
            ),
            (
                "numbered with tabs",
                with(&|i, l| format!("{}\t{l}", i + 1)),
            ),
            (
                "tags",
                format!(
                    "<pre><code class=\"language-python\">{}</code></pre>\n",
                    code.trim_end()
                ),
            ),
            ("cdata", format!("<![CDATA[{}]]>\n", code.trim_end())),
            ("entities", code.replace('<', "&lt;").replace('\'', "&#39;")),
        ];
        for (name, text) in cases {
            assert_eq!(clean(&text).trim(), code.trim(), "{name}");
        }
    }

    #[test]
    fn placeholders_and_comparisons_stay() {
        for text in [
            "x = (a\n< b)\n",
            "    return <your reward>\n",
            "<expression>\n",
            "a = b > c\n> 2\n",
        ] {
            assert_eq!(clean(text), cleaned(&Source::whole(text)).text, "{text}");
        }
    }
}
