"""Rows: files and lists, each row a combination of its columns."""

from textwrap import indent

import pytest
from support.galleries import picture
from support.project import Project


def shot(matrix: str, prompt: str = "{{ vars | tojson }}{{ name | default('-') }}") -> str:
    return f'shots:\n  - name: s\n    prompt: "{prompt}"\n    matrix:\n{indent(matrix, "      ")}\n'


CSV = '\ufeffid,name,seed,note\r\np1,Lamp,7,\r\np2,"Desk, ""small""",,x\r\n\r\n'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("rows.csv", CSV, id="csv"),
        pytest.param(
            "rows.jsonl",
            '{"id": "p1", "name": "Lamp", "seed": 7}\n\n'
            '{"id": "p2", "name": "Desk, \\"small\\"", "seed": null, "note": "x"}\n',
            id="jsonl",
        ),
        pytest.param(
            "rows.yaml",
            "- {id: p1, name: Lamp, seed: 7}\n- {id: p2, name: 'Desk, \"small\"', note: x}\n",
            id="yaml",
        ),
    ],
)
def test_every_row_is_a_combination(project: Project, name: str, content: str) -> None:
    project.write(name, content)
    text = shot(f"rows: {name}", "{{ name }}{{ ' ' ~ note if note is defined }}")

    requests = project.requests(text)

    model = "veo-3.1-fast-generate-preview"
    assert [(r.address, r.body) for r in requests] == [
        ("s[id=p1]", {"model": model, "prompt": "Lamp", "seed": 7}),
        ("s[id=p2]", {"model": model, "prompt": 'Desk, "small" x'}),
    ]


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        pytest.param(
            "rows: [{x: 1, y: 2}, {x: 1}]\nlook: [a, b]",
            ["look=a,x=1,y=2", "look=b,x=1,y=2", "look=a,x=1", "look=b,x=1"],
            id="without an id all columns make the address; rows written first are slowest",
        ),
        pytest.param(
            "look: [a, b]\nrows: [{x: 1, y: 2}, {x: 3, y: 2}]",
            ["look=a,x=1,y=2", "look=a,x=3,y=2", "look=b,x=1,y=2", "look=b,x=3,y=2"],
            id="rows written last are fastest",
        ),
        pytest.param(
            "rows: [{x: 1, y: 2}, {x: 3, y: 2}]\nrows_key: [x]",
            ["x=1", "x=3"],
            id="rows_key",
        ),
        pytest.param(
            "rows: [{x: 1, y: 2}, {x: 3, y: 4}, {x: 5, y: 4}]\nrows_key: x\nexclude: [{y: 4, x: 3}]",
            ["x=1", "x=5"],
            id="exclude by any column",
        ),
        pytest.param(
            "rows: [{x: {id: u, k: 1}, y: 2}, {x: {id: v, k: 2}}]\nrows_key: x\nexclude: [{x: v}]",
            ["x=u"],
            id="a mapping in a cell",
        ),
        pytest.param(
            "rows: [{id: p, y: 1}, {id: q, y: 2}]\nlook: [a]\n"
            "include: [{id: p, look: z}, {id: r, look: a, y: 5}, {id: t, look: a}]",
            ["id=p,look=a", "id=q,look=a", "id=p,look=z", "id=r,look=a", "id=t,look=a"],
            id="an include of a row, of a new row, and of one with only its key",
        ),
        pytest.param(
            "rows: [{id: p}, {id: q}]\nsample: {count: 1, seed: 2}",
            ["id=q"],
            id="sample",
        ),
    ],
)
def test_rows_are_crossed_with_the_axes(project: Project, matrix: str, expected: list[str]) -> None:
    text = shot(matrix, "{{ x.id if x is mapping else x|d }}{{ y|d }}{{ id|d }}{{ look|d }}")

    assert [r.address[2:-1] for r in project.requests(text)] == expected


def test_an_included_row_brings_its_other_columns(project: Project) -> None:
    text = shot(
        "rows: [{id: p, y: oak}]\nlook: [a]\ninclude: [{id: p, look: z}]", "{{ y }} {{ look }}"
    )

    assert [r.body["prompt"] for r in project.requests(text)] == ["oak a", "oak z"]


def test_cells_of_parameters_are_read_as_their_type(project: Project) -> None:
    project.write(
        "rows.csv",
        "id,seed,generate_audio,quality,image_urls,zip\n"
        "1,007,TRUE,720p,https://example.com/a.png,00501\n"
        '2,,false,,"[https://example.com/a.png, https://example.com/b.png]",\n',
    )

    requests = project.requests(shot("rows: rows.csv", "{{ zip | default('none') }} {{ id }}"))

    common = {"model": "veo-3.1-fast-generate-preview"}
    assert [r.body for r in requests] == [
        {
            **common,
            "generate_audio": True,
            "image_urls": ["https://example.com/a.png"],
            "prompt": "00501 1",
            "quality": "720p",
            "seed": 7,
        },
        {
            **common,
            "generate_audio": False,
            "image_urls": ["https://example.com/a.png", "https://example.com/b.png"],
            "prompt": "none 2",
        },
    ]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_line_end_within_a_cell_is_one_whoever_wrote_the_file(
    project: Project, line_end: str
) -> None:
    lines = ("id,words", '"k', '2",a', '3,"b', "", '""c"""')
    project.write("rows.csv", line_end.join(lines).encode())

    requests = project.requests(shot("rows: rows.csv", "{{ words | length }} {{ words }}"))

    assert [(r.address, r.variables, r.body["prompt"]) for r in requests] == [
        ('s[id="k\\n2"]', {"id": "k\n2"}, "1 a"),
        ("s[id=3]", {"id": "3"}, '6 b\n"c"'),
    ]


def test_images_of_rows_are_beside_the_file_of_the_rows(project: Project) -> None:
    project.write("data/rows.csv", "id,image_urls\n1,a.png\n")
    project.write("data/a.png", picture())

    request = project.requests(shot("rows: data/rows.csv"))[0]

    assert request.body["image_urls"] == ["file:data/a.png"]


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        pytest.param("rows: r.csv", ["id=1", "id=2"], id="the column is the prompt"),
    ],
)
def test_a_column_named_prompt_is_the_prompt(
    project: Project, matrix: str, expected: list[str]
) -> None:
    project.write("r.csv", 'id,prompt\n1," A  lamp \n\n\n on a desk "\n2,A chair\n')

    requests = project.requests(f"shots: [{{name: s, matrix: {{{matrix}}}}}]")

    assert [r.address[2:-1] for r in requests] == expected
    assert [r.body["prompt"] for r in requests] == ["A  lamp\non a desk", "A chair"]


def test_a_prompt_of_the_shot_wins_over_a_column_of_that_name(project: Project) -> None:
    project.write("r.csv", "id,prompt,negative_prompt\n1,a lamp,text\n")

    request = project.requests(shot("rows: r.csv", "Slow shot of {{ prompt }}."))[0]

    assert request.body["prompt"] == "Slow shot of a lamp."
    assert request.body["negative_prompt"] == "text"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        pytest.param(
            "r.csv",
            "a,b\n1,2\n3\n",
            "r.csv:3:1: error[rows]: this row has 1 cell, the header has 2",
            id="short row",
        ),
        pytest.param(
            "r.csv",
            'a,b\n"x\ny",2\n3,4,5\n',
            "r.csv:4:5: error[rows]: this row has 3 cells, the header has 2",
            id="long row after a cell of two lines",
        ),
        pytest.param(
            "r.csv",
            'a,b\n1,"2\n',
            "r.csv:2:3: error[rows]: this cell's quote is never closed",
            id="open quote",
        ),
        pytest.param(
            "r.csv",
            'a,b\n"1"x,2\n',
            'r.csv:2:1: error[rows]: this cell goes on after its closing quote; a quote inside is `""`',
            id="text after a quote",
        ),
        pytest.param(
            "r.csv",
            "a,a\n1,2\n",
            "r.csv:1:3: error[rows]: the column 'a' stands in the header twice",
            id="a column twice",
        ),
        pytest.param(
            "r.csv",
            "a,b c\n1,2\n",
            "r.csv:1:3: error[bad-name]: 'b c' is not a name: letters, digits and '_', not first a digit; write 'b_c'",
            id="a bad name",
        ),
        pytest.param(
            "r.csv",
            "a;b\n1;2,5\n",
            "r.csv:1:1: error[rows]: cells are separated by commas, not by ';'",
            id="semicolons, as of a spreadsheet",
        ),
        pytest.param(
            "r.csv",
            "a\tb\n1\t2\n",
            "r.csv:1:1: error[rows]: cells are separated by commas, not by tabs",
            id="tabs",
        ),
        pytest.param(
            "r.csv",
            "a,take\n1,2\n",
            "r.csv:1:3: error[reserved-name]: 'take' means something else in templates; choose another name",
            id="a reserved name",
        ),
        pytest.param(
            "r.csv",
            "a,b\n",
            "a.yaml:6:13: error[empty-axis]: there are no rows",
            id="only a header",
        ),
        pytest.param(
            "r.csv", "", "a.yaml:6:13: error[empty-axis]: there are no rows", id="an empty file"
        ),
        pytest.param(
            "r.csv", b"a\n\xff\n", "r.csv:2:1: error[rows]: this is not UTF-8", id="not UTF-8"
        ),
        pytest.param(
            "r.csv",
            "a,seed\n1,x\n",
            "r.csv:2:3: error[value]: seed is an integer, not 'x' (s[a=1,seed=x])",
            id="a cell of the wrong type",
        ),
        pytest.param(
            "r.csv",
            "a,seed\n1,1_000\n",
            "r.csv:2:3: error[value]: seed is an integer, not '1_000' (s[a=1,seed=1_000])",
            id="a number that YAML knows as text",
        ),
        pytest.param(
            "r.csv",
            "a,b\n1,2\n1,2\n",
            "r.csv:3:1: error[same-address]: two requests with one address: a=1, b=2 is on line 2 too; 'takes' buys one request several times",
            id="a repeated row",
        ),
        pytest.param(
            "r.csv",
            "id,b\n1,2\n1,3\n",
            "r.csv:3:1: error[same-address]: two requests with one address: id=1 is on line 2 too; name more columns in 'rows_key', or buy one request several times with 'takes'",
            id="a repeated id",
        ),
        pytest.param(
            "r.csv",
            "id,b\n1,2\n,2\n",
            "r.csv:3:1: error[rows]: this row has no 'id', which makes its address",
            id="a row without its key",
        ),
        pytest.param(
            "r.csv",
            "version https://git-lfs.github.com/spec/v1\noid sha256:0a\nsize 9\n",
            "r.csv:1:1: error[rows]: this file is kept in Git LFS and is not here; get it with: git lfs pull",
            id="what stands for a large file",
        ),
        pytest.param(
            "r.jsonl",
            '{"a": 1}\n{"a": }\n',
            "r.jsonl:2:7: error[rows]: this is not JSON: Expecting value",
            id="broken JSON",
        ),
        pytest.param(
            "r.jsonl",
            '{"a": 1, "a": 2}\n',
            "r.jsonl:1:1: error[rows]: this is not JSON that can be read: 'a' stands twice in one object",
            id="a key twice",
        ),
        pytest.param(
            "r.jsonl",
            "[1]\n",
            "r.jsonl:1:1: error[rows]: a row is an object, column to value",
            id="no object",
        ),
        pytest.param(
            "r.jsonl",
            '{"a": ' + "[" * 101 + "]" * 101 + "}\n",
            "r.jsonl:1:1: error[rows]: values are nested at most 100 deep",
            id="deep JSON",
        ),
        pytest.param(
            "r.jsonl",
            '{"a": NaN}\n',
            "r.jsonl:1:1: error[rows]: this is not JSON that can be read: NaN is no number that JSON has",
            id="NaN",
        ),
        pytest.param(
            "r.jsonl",
            '{"a": 1e999}\n',
            "r.jsonl:1:1: error[rows]: this is not JSON that can be read: 1e999 is no number that JSON has",
            id="a number without an end",
        ),
        pytest.param(
            "r.jsonl",
            '{"b": 1, "a": {"k": 1}}\n',
            "r.jsonl:1:10: error[axis-value]: a mapping needs an 'id' that stands for it",
            id="no id",
        ),
        pytest.param(
            "r.jsonl",
            '{"a": {"id": 1, "b": 2}, "c": "\\"b\\": 3", "b": {"k": 1}}\n',
            "r.jsonl:1:43: error[axis-value]: a mapping needs an 'id' that stands for it",
            id="a key whose name stands elsewhere too",
        ),
        pytest.param(
            "r.jsonl",
            '{"a": 1, "\\u0062": {"k": 1}}\n',
            "r.jsonl:1:10: error[axis-value]: a mapping needs an 'id' that stands for it",
            id="an escaped key",
        ),
        pytest.param(
            "r.jsonl",
            '{"a": "\\ud800"}\n',
            "r.jsonl:1:2: error[axis-value]: half of a surrogate pair is no text",
            id="half a character",
        ),
        pytest.param(
            "r.yaml",
            "- a: 1\n- 7\n",
            "r.yaml:2:3: error[rows]: a row is a mapping, column to value",
            id="no mapping",
        ),
        pytest.param(
            "r.yaml",
            "a: 1\n",
            "r.yaml:1:1: error[rows]: rows are a list of mappings, column to value",
            id="no list",
        ),
        pytest.param(
            "r.yaml",
            "- {a: [.inf]}\n",
            "r.yaml:1:7: error[axis-value]: a value of an axis is a finite number",
            id="infinity",
        ),
        pytest.param(
            "r.txt",
            "a\n",
            "r.txt:1:1: error[rows]: rows are a .csv, .jsonl or .yaml file, or a list",
            id="another kind of file",
        ),
    ],
)
def test_mistakes_in_rows_stand_in_their_own_file(
    project: Project, name: str, content: str | bytes, expected: str
) -> None:
    project.write(name, content)

    assert project.mistakes(shot(f"rows: {name}")) == [expected]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        pytest.param(
            "r.csv",
            "a,b\n1\n1,2\n1,2,3\n",
            [
                "r.csv:2:1: error[rows]: this row has 1 cell, the header has 2",
                "r.csv:4:5: error[rows]: this row has 3 cells, the header has 2",
            ],
            id="CSV",
        ),
        pytest.param(
            "r.jsonl",
            '[1]\n{"a": 1}\n{"a"}\n',
            [
                "r.jsonl:1:1: error[rows]: a row is an object, column to value",
                "r.jsonl:3:5: error[rows]: this is not JSON: Expecting ':' delimiter",
            ],
            id="JSON Lines",
        ),
    ],
)
def test_all_rows_are_told_about_at_once(
    project: Project, name: str, content: str, expected: list[str]
) -> None:
    project.write(name, content)

    assert project.mistakes(shot(f"rows: {name}")) == expected


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        pytest.param(
            "rows: none.csv",
            "6:13 rows: none.csv cannot be read: No such file or directory",
            id="no file",
        ),
        pytest.param(
            "rows: ../x.csv", "6:13 outside-root: '../x.csv' leaves the project", id="outside"
        ),
        pytest.param(
            "rows: /etc/passwd",
            "6:13 outside-root: '/etc/passwd' leaves the project",
            id="absolute",
        ),
        pytest.param(
            "rows: link.csv", "6:13 outside-root: link.csv leaves the project", id="a link outside"
        ),
        pytest.param(
            "rows: [{x: 1}]\nrows_key: y",
            "6:13 unknown-column: rows_key: there is no column 'y'",
            id="unknown key column",
        ),
        pytest.param(
            "rows: [{x: 1}]\nx: [1]",
            "7:7 repeated-name: 'x' is an axis and a column of the rows",
            id="an axis and a column of one name",
        ),
    ],
)
def test_mistakes_about_rows(project: Project, matrix: str, expected: str) -> None:
    (project.root / "link.csv").symlink_to("/etc/passwd")

    assert project.told(shot(matrix)) == [expected]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("r.csv", ",,\n\nid,x,\n , ,\n1,a,\n,,\n2,b,\n,,\n,\n", id="csv"),
        pytest.param(
            "r.jsonl",
            '{}\n{"id": "1", "x": "a"}\n{"id": null}\n{"id": "2", "x": "b"}\n',
            id="jsonl",
        ),
        pytest.param(
            "r.yaml", "[{}, {id: '1', x: a}, {id: null, x: null}, {id: '2', x: b}]", id="yaml"
        ),
    ],
)
def test_rows_without_a_cell_and_columns_without_a_name_are_not_there(
    project: Project, name: str, content: str
) -> None:
    project.write(name, content)

    plan = project.plan(shot(f"rows: {name}", "{{ x }}"))

    assert [(r.address, r.body["prompt"]) for r in plan.requests] == [
        ("s[id=1]", "a"),
        ("s[id=2]", "b"),
    ]
    assert plan.warnings == ()


def test_rows_that_are_all_blank_are_none(project: Project) -> None:
    project.write("r.csv", "id,x\n,\n")

    assert project.told(shot("rows: r.csv", "{{ x }}")) == ["6:13 empty-axis: there are no rows"]


def test_a_cell_below_no_name_is_a_mistake(project: Project) -> None:
    project.write("r.csv", "id,x,\n1,a,\n2,b,c\n")

    assert project.mistakes(shot("rows: r.csv", "{{ x }}")) == [
        "r.csv:3:5: error[rows]: this cell is in a column that the header does not name"
    ]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param(
            "ID,x",
            "1:1: error[column]: the column 'ID' does not make the address; did you mean 'id'?",
            id="id",
        ),
        pytest.param(
            "id,x,Duration",
            "1:6: error[column]: the column 'Duration' is used by nothing; did you mean 'duration'?",
            id="a parameter",
        ),
        pytest.param(
            "id,x,Aspect Ratio",
            "1:6: error[column]: the column 'Aspect Ratio' is used by nothing; did you mean 'aspect_ratio'?",
            id="a parameter with a blank",
        ),
        pytest.param(
            "id,x,generateaudio",
            "1:6: error[column]: the column 'generateaudio' is used by nothing; did you mean 'generate_audio'?",
            id="a parameter without its mark",
        ),
        pytest.param(
            "id,x,Brand",
            "1:6: error[column]: the column 'Brand' is used by nothing; did you mean 'brand'?",
            id="a var",
        ),
        pytest.param(
            "id,x,LOOK",
            "1:6: error[column]: the column 'LOOK' is used by nothing; did you mean 'look'?",
            id="an axis",
        ),
        pytest.param(
            "id,x,Camera Move",
            "1:6: error[column]: the column 'Camera Move' is used by nothing; did you mean 'camera_move'?",
            id="a name that a template uses",
        ),
        pytest.param(
            "id,x,Product Name",
            "1:6: error[bad-name]: 'Product Name' is not a name: letters, digits and '_', not first a digit; write 'Product_Name'",
            id="a name that means nothing",
        ),
    ],
)
def test_a_column_that_is_nearly_a_name_is_a_mistake(
    project: Project, header: str, expected: str
) -> None:
    cells = ",".join("c" for _ in header.split(","))
    project.write("r.csv", f"{header}\n{cells}\n")
    text = "vars: {brand: Lumen}\n" + shot(
        "rows: r.csv\nlook: [a]", "{{ x }} {{ brand }} {{ look }} {{ camera_move | default('') }}"
    )

    assert project.mistakes(text) == [f"r.csv:{expected}"]


def test_a_column_that_the_shots_own_text_stands_before_is_used_by_nothing(
    project: Project,
) -> None:
    project.write("r.csv", "id,prompt,negative_prompt\n1,red,fog\n2,tan,fog\n")
    text = shot("rows: r.csv", "A {{ prompt }} bag") + "    negative_prompt: rain\n"

    assert project.warnings(text) == [
        "r.csv:1:11: warning[unused-column]: nothing uses 1 column: 'negative_prompt'"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            shot("x: [1]\nrows_key: x", "{{ x }}"),
            ["7:7 rows: 'rows_key' names columns of 'rows', and there are none"],
            id="of a shot",
        ),
        pytest.param(
            "matrix: {rows_key: x}\n" + shot("x: [1]", "{{ x }}"),
            ["2:10 rows: 'rows_key' names columns of 'rows', and there are none"],
            id="of a spec",
        ),
    ],
)
def test_columns_that_make_addresses_need_rows(
    project: Project, text: str, expected: list[str]
) -> None:
    assert project.told(text) == expected


def test_a_spec_names_columns_for_those_of_its_shots_that_have_rows(project: Project) -> None:
    text = "matrix: {rows: [{x: 1}], rows_key: x}\nshots:\n"
    shots = "  - {name: a, prompt: '{{ x }}'}\n  - {name: b, prompt: y, matrix: {rows: null}}"

    assert [each.address for each in project.requests(text + shots)] == ["a[x=1]", "b"]


def test_a_column_is_used_by_what_names_it(project: Project) -> None:
    project.write(
        "r.csv",
        "ID,Colour,duration,Region,Season,Price,Note\n1,red,4,EU,warm,5,q\n2,tan,4,US,cold,6,q\n",
    )
    text = (
        shot("rows: r.csv\nrows_key: ID\nexclude: [{Region: US}]", "{{ Colour }}")
        + "    overrides: [{when: {Season: warm}, takes: 1}]\n"
    )

    assert project.warnings(text) == [
        "r.csv:1:34: warning[unused-column]: nothing uses 2 columns: 'Price', 'Note'"
    ]
