//! An assistant works on code: it looks around, edits, runs the tests, and looks again.

/// One round: what the model says, the tool it asks for, its arguments (JSON), and what the tool gives back.
pub(in super::super) struct Round {
    pub thought: &'static str,
    pub tool: &'static str,
    pub arguments: &'static str,
    pub answer: Answer,
}

/// What came of a tool.
pub(in super::super) enum Answer {
    Good(&'static str),
    /// Exception and message; the model sees them and goes on.
    Thrown(&'static str, &'static str),
}

pub(in super::super) struct Task {
    pub request: &'static str,
    pub repository: &'static str,
    pub rounds: &'static [Round],
    pub answer: &'static str,
}

use Answer::{Good, Thrown};

pub(in super::super) const INSTRUCTIONS: &str = "You are a coding assistant with access to a checkout of the repository. Read before you edit, keep changes small, run the tests after every \
change, and stop when they pass. Explain what you changed in two or three sentences. Never touch files outside the repository.";

pub(in super::super) const TASKS: [Task; 4] = [
    Task {
        request: "Invoices for customers in Portugal are rounded wrongly: 3 × 9.99 € with 23 % VAT shows 36.87 instead of 36.86. Please fix it.",
        repository: "billing-service",
        rounds: &[
            Round {
                thought: "I'll start by finding where VAT is computed.",
                tool: "search_code",
                arguments: r#"{"query":"vat|tax_rate","path":"src","limit":20}"#,
                answer: Good(
                    "src/invoice/totals.py:14: def line_total(line, tax_rate):\nsrc/invoice/totals.py:31: def invoice_total(lines, tax_rate):\nsrc/invoice/render.py:77: vat_label = ...\nsrc/config/countries.py:52: \"PT\": Decimal(\"0.23\")",
                ),
            },
            Round {
                thought: "",
                tool: "read_file",
                arguments: r#"{"path":"src/invoice/totals.py"}"#,
                answer: Good(
                    "from decimal import Decimal, ROUND_HALF_UP\n\nCENT = Decimal(\"0.01\")\n\ndef line_total(line, tax_rate):\n    net = line.quantity * line.unit_price\n    return (net * (1 + tax_rate)).quantize(CENT, ROUND_HALF_UP)\n\ndef invoice_total(lines, tax_rate):\n    # Sum of rounded unit prices, so that the lines add up\n    return sum(\n        (line.unit_price * (1 + tax_rate)).quantize(CENT, ROUND_HALF_UP) * line.quantity\n        for line in lines\n    )\n",
                ),
            },
            Round {
                thought: "The line is rounded once, but the invoice total rounds the gross unit price and multiplies the error by the quantity: 9.99 × 1.23 = 12.2877 → 12.29 × 3 = 36.87. I'll write the failing test first.",
                tool: "edit_file",
                arguments: r#"{"path":"tests/test_totals.py","append":"\n\ndef test_total_rounds_each_line_once():\n    lines = [Line(quantity=3, unit_price=Decimal(\"9.99\"))]\n    assert invoice_total(lines, Decimal(\"0.23\")) == Decimal(\"36.86\")\n"}"#,
                answer: Good("tests/test_totals.py: 5 lines added"),
            },
            Round {
                thought: "",
                tool: "run_tests",
                arguments: r#"{"target":"tests/test_totals.py"}"#,
                answer: Good(
                    "F....\n=== FAILURES ===\ntest_total_rounds_each_line_once: AssertionError: Decimal('36.87') != Decimal('36.86')\n1 failed, 4 passed in 0.21s",
                ),
            },
            Round {
                thought: "It fails as reported. Now the fix: the total is the sum of the line totals.",
                tool: "edit_file",
                arguments: r#"{"path":"src/invoice/totals.py","replace":"    # Sum of rounded unit prices, so that the lines add up\n    return sum(\n        (line.unit_price * (1 + tax_rate)).quantize(CENT, ROUND_HALF_UP) * line.quantity\n        for line in lines\n    )","with":"    # Each line is rounded once; the total is the sum of what the lines show\n    return sum((line_total(line, tax_rate) for line in lines), Decimal(0))"}"#,
                answer: Good("src/invoice/totals.py: 5 lines replaced by 2"),
            },
            Round {
                thought: "",
                tool: "run_tests",
                arguments: r#"{"target":"tests"}"#,
                answer: Good("........................................................\n56 passed in 3.84s"),
            },
        ],
        answer: "Fixed. `invoice_total` rounded the gross price of a single unit and multiplied the rounding error by the quantity; it now adds up the line totals, each rounded once, so the \
                 invoice always equals the sum of its lines. I added a test with your example (36.86). All 56 tests pass.",
    },
    Task {
        request: "The nightly export takes 40 minutes since last week. Find out why and make it fast again.",
        repository: "warehouse-export",
        rounds: &[
            Round {
                thought: "First, what changed last week?",
                tool: "git_log",
                arguments: r#"{"since":"10 days ago","path":"export"}"#,
                answer: Good(
                    "a41c9e2 Export: add the name of the account manager to each row\n7be01f4 Bump fastcsv to 2.4\n19d0c55 Export: write to a temporary file first",
                ),
            },
            Round {
                thought: "The first one adds a look-up to each row; that smells like one query a row.",
                tool: "git_show",
                arguments: r#"{"commit":"a41c9e2"}"#,
                answer: Good(
                    "@@ export/rows.go @@\n func (e *Exporter) row(order Order) []string {\n+\tmanager, err := e.db.ManagerOf(order.AccountID)\n+\tif err != nil {\n+\t\tmanager = \"\"\n+\t}\n-\treturn []string{order.ID, order.Customer, order.Total.String()}\n+\treturn []string{order.ID, order.Customer, order.Total.String(), manager}\n }",
                ),
            },
            Round {
                thought: "Exactly: one query for each of about 600,000 orders. Let me see the file it should be joined in.",
                tool: "read_file",
                arguments: r#"{"path":"export/query.go"}"#,
                answer: Thrown("FileNotFoundError", "[Errno 2] No such file or directory: 'export/query.go'"),
            },
            Round {
                thought: "No such file; I'll search for the query instead of guessing.",
                tool: "search_code",
                arguments: r#"{"query":"FROM orders","path":"export"}"#,
                answer: Good(
                    "export/store.go:22: const ordersQuery = `SELECT o.id, o.account_id, c.name, o.total FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.day = $1`",
                ),
            },
            Round {
                thought: "",
                tool: "edit_file",
                arguments: r#"{"path":"export/store.go","replace":"SELECT o.id, o.account_id, c.name, o.total FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.day = $1","with":"SELECT o.id, c.name, o.total, COALESCE(m.name, '') FROM orders o JOIN customers c ON c.id = o.customer_id LEFT JOIN managers m ON m.account_id = o.account_id WHERE o.day = $1"}"#,
                answer: Good("export/store.go: 1 line replaced"),
            },
            Round {
                thought: "",
                tool: "edit_file",
                arguments: r#"{"path":"export/rows.go","replace":"\tmanager, err := e.db.ManagerOf(order.AccountID)\n\tif err != nil {\n\t\tmanager = \"\"\n\t}\n","with":"","and":"manager}","by":"order.Manager}"}"#,
                answer: Good("export/rows.go: 5 lines replaced by 1"),
            },
            Round {
                thought: "",
                tool: "run_tests",
                arguments: r#"{"target":"./export/..."}"#,
                answer: Good("ok  \twarehouse/export\t1.912s"),
            },
            Round {
                thought: "Tests pass. Let me measure against yesterday's data before I claim anything.",
                tool: "run_command",
                arguments: r#"{"command":"go run ./cmd/export --day 2026-11-20 --out /dev/null --stats"}"#,
                answer: Good("rows=604118 queries=1 duration=48.2s"),
            },
        ],
        answer: "The export asked the database for the account manager of every single row (604,118 queries) since commit a41c9e2. I moved that look-up into the query as a LEFT JOIN. Yesterday's \
                 export now takes 48 seconds with one query; orders without a manager keep an empty column as before.",
    },
    Task {
        request: "Write a property test that our date parser never panics, and fix what it finds.",
        repository: "calendar-core",
        rounds: &[
            Round {
                thought: "",
                tool: "read_file",
                arguments: r#"{"path":"src/parse.rs"}"#,
                answer: Good(
                    "pub fn parse_date(text: &str) -> Option<Date> {\n    let year = text[0..4].parse().ok()?;\n    let month = text[5..7].parse().ok()?;\n    let day = text[8..10].parse().ok()?;\n    Date::from_ymd(year, month, day)\n}\n",
                ),
            },
            Round {
                thought: "Slicing by byte index will panic on short or multi-byte text. The test first.",
                tool: "edit_file",
                arguments: r#"{"path":"src/parse.rs","append":"\n#[cfg(test)]\nmod tests {\n    use super::*;\n    use proptest::prelude::*;\n\n    proptest! {\n        #[test]\n        fn never_panics(text in \".*\") {\n            let _ = parse_date(&text);\n        }\n    }\n}\n"}"#,
                answer: Good("src/parse.rs: 12 lines added"),
            },
            Round {
                thought: "",
                tool: "run_tests",
                arguments: r#"{"target":"parse"}"#,
                answer: Good(
                    "thread 'parse::tests::never_panics' panicked: byte index 4 is out of bounds of ``\nminimal failing input: text = \"\"\ntest result: FAILED. 0 passed; 1 failed",
                ),
            },
            Round {
                thought: "As expected. `get` returns None instead of panicking, on character boundaries too.",
                tool: "edit_file",
                arguments: r#"{"path":"src/parse.rs","replace":"text[0..4].parse()","with":"text.get(0..4)?.parse()","all":"text[a..b] -> text.get(a..b)?"}"#,
                answer: Good("src/parse.rs: 3 lines replaced"),
            },
            Round {
                thought: "",
                tool: "run_tests",
                arguments: r#"{"target":"parse"}"#,
                answer: Good("test parse::tests::never_panics ... ok (256 cases)\ntest result: ok. 9 passed; 0 failed"),
            },
        ],
        answer: "The property test found the panic at once: `parse_date(\"\")` sliced out of bounds, and so did any text with a multi-byte character in the first ten bytes. Slices are now taken with \
                 `get`, so such text is simply not a date. 256 random cases pass, as do the eight tests that were there.",
    },
    Task {
        request: "Our container image is 1.4 GB. Can you get it below 300 MB?",
        repository: "recommendations-api",
        rounds: &[
            Round {
                thought: "",
                tool: "read_file",
                arguments: r#"{"path":"Dockerfile"}"#,
                answer: Good(
                    "FROM python:3.12\nWORKDIR /app\nCOPY . .\nRUN apt-get update && apt-get install -y build-essential libpq-dev\nRUN pip install -r requirements.txt\nCMD [\"gunicorn\", \"app:api\"]\n",
                ),
            },
            Round {
                thought: "The full base image, the compiler and pip's cache all stay in. I'll see what is copied, too.",
                tool: "run_command",
                arguments: r#"{"command":"du -sh .git tests data notebooks --total"}"#,
                answer: Good("212M\t.git\n8.1M\ttests\n164M\tdata\n22M\tnotebooks\n406M\ttotal"),
            },
            Round {
                thought: "",
                tool: "write_file",
                arguments: r#"{"path":".dockerignore","content":".git\ntests\ndata\nnotebooks\n*.md\n"}"#,
                answer: Good(".dockerignore: 5 lines"),
            },
            Round {
                thought: "",
                tool: "write_file",
                arguments: r#"{"path":"Dockerfile","content":"FROM python:3.12-slim AS build\nRUN apt-get update && apt-get install -y --no-install-recommends build-essential libpq-dev\nCOPY requirements.txt .\nRUN pip wheel --no-cache-dir -w /wheels -r requirements.txt\n\nFROM python:3.12-slim\nRUN apt-get update && apt-get install -y --no-install-recommends libpq5 && rm -rf /var/lib/apt/lists/*\nCOPY --from=build /wheels /wheels\nRUN pip install --no-cache-dir /wheels/* && rm -rf /wheels\nWORKDIR /app\nCOPY . .\nUSER nobody\nCMD [\"gunicorn\", \"app:api\"]\n"}"#,
                answer: Good("Dockerfile: 13 lines"),
            },
            Round {
                thought: "",
                tool: "run_command",
                arguments: r#"{"command":"docker build -t recommendations-api:slim . && docker images recommendations-api"}"#,
                answer: Thrown(
                    "CommandFailed",
                    "exit 1: failed to solve: process \"/bin/sh -c pip install --no-cache-dir /wheels/*\" did not complete: ERROR: numpy-2.3.1 requires libgfortran5",
                ),
            },
            Round {
                thought: "One wheel was built here and needs the Fortran runtime. Adding libgfortran5 to the final image.",
                tool: "edit_file",
                arguments: r#"{"path":"Dockerfile","replace":"libpq5 &&","with":"libpq5 libgfortran5 &&"}"#,
                answer: Good("Dockerfile: 1 line replaced"),
            },
            Round {
                thought: "",
                tool: "run_command",
                arguments: r#"{"command":"docker build -t recommendations-api:slim . && docker images recommendations-api"}"#,
                answer: Good("REPOSITORY            TAG    SIZE\nrecommendations-api   slim   268MB"),
            },
            Round {
                thought: "",
                tool: "run_tests",
                arguments: r#"{"target":"tests","image":"recommendations-api:slim"}"#,
                answer: Good("118 passed, 2 skipped in 41.0s"),
            },
        ],
        answer: "Down from 1.4 GB to 268 MB: wheels are built in a first stage, so compiler and headers stay out; the base is the slim image; and `.dockerignore` keeps 406 MB of git history and data \
                 away. The image also runs as nobody now instead of root. 118 tests pass inside it.",
    },
];
