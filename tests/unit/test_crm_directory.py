"""The embedded directory: CSV files in every state, and look-ups while one is imported."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cordboard.config.yaml_reader import parse_yaml
from cordboard.crm.connectors.directory import DirectoryConnector
from cordboard.crm.crm_file import CrmSettings, load_crm
from cordboard.crm.csv_import import ImportReport, import_csv
from cordboard.crm.customer import Customer
from cordboard.crm.customers_db import CustomersDb, StoredCustomer
from cordboard.errors import ConfigurationError, CrmRejected, CrmUnavailable

ROOT = Path(__file__).parents[2]
ADA = "+442079460123"
HEAD = "id,name,phone,tier,visits,balance,vip,since\n"
FIELDS = "{name: text, tier: text, visits: whole, balance: number, vip: yes_no, since: date}"


def settings_of(connector: str = "directory", fields: str = FIELDS) -> CrmSettings:
    text = f"country: GB\nconnector: {connector}\ncustomer: {fields}\n"
    return CrmSettings.model_validate(parse_yaml(text.encode(), "crm.yaml").data)


SETTINGS = settings_of()


@pytest.fixture
def db(tmp_path: Path) -> Iterator[CustomersDb]:
    opened = CustomersDb(tmp_path / "state" / "customers.db")
    yield opened
    opened.close()


def imported(db: CustomersDb, tmp_path: Path, data: str | bytes, settings: CrmSettings = SETTINGS) -> ImportReport:
    path = tmp_path / "customers.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return import_csv(path, settings, db, imported_at=1_000.0)


def names(db: CustomersDb, number: str = ADA) -> list[str]:
    return [str(row.fields["name"]) for row in db.find(number)]


# what goes in


def test_a_row_becomes_a_customer_with_typed_fields(db: CustomersDb, tmp_path: Path) -> None:
    report = imported(db, tmp_path, HEAD + "7,Ada Lovelace,020 7946 0123,gold,3,1250.50,yes,2019-12-10\n")
    assert (report.imported, report.faults, report.notes) == (1, (), ())
    fields = {
        "name": "Ada Lovelace", "tier": "gold", "visits": 3, "balance": 1250.5, "vip": True, "since": "2019-12-10"
    }  # fmt: skip
    assert db.find(ADA) == [StoredCustomer("7", fields, 1_000.0)]
    assert db.find("+442079460199") == []


def test_columns_are_found_by_name_in_any_order_and_case(db: CustomersDb, tmp_path: Path) -> None:
    report = imported(db, tmp_path, "Mobile, NAME ,Customer ID,Notes\n07700900123,Ada,7,x\n")
    assert report.imported == 1
    assert names(db, "+447700900123") == ["Ada"]
    assert report.notes == (
        "no column for tier, visits, balance, vip, since: left empty",
        "columns that crm.yaml has no field for: Notes",
    )


def test_columns_of_other_names_are_given_in_crm_yaml(db: CustomersDb, tmp_path: Path) -> None:
    written = (
        "{directory: {id: Kundennr, numbers: [Telefon, Handy], updated: Stand, columns: {name: Firma, tier: Art}}}"
    )
    data = "Kundennr;Firma;Art;Telefon;Handy;Stand\n7;Ada;gold;02079460123;07700900123;2026-01-02\n"
    assert imported(db, tmp_path, data, settings_of(written)).imported == 1
    (found,) = db.find("+447700900123")
    assert (found.fields["name"], found.fields["tier"], found.updated_at) == ("Ada", "gold", 1_767_312_000.0)


@pytest.mark.parametrize(
    "cell", ["020 7946 0123;07700 900123", '"020 7946 0123, 07700 900123"', "020 7946 0123|+447700900123"]
)
def test_a_customer_has_several_numbers(db: CustomersDb, tmp_path: Path, cell: str) -> None:
    assert imported(db, tmp_path, f"id,name,phone,phone 2\n7,Ada,{cell},0161 496 0111\n").imported == 1
    for number in (ADA, "+447700900123", "+441614960111"):
        assert names(db, number) == ["Ada"]
    assert db.count() == (1, 3)


def test_one_number_of_several_customers_finds_all_the_last_updated_first(db: CustomersDb, tmp_path: Path) -> None:
    rows = "".join(f"{n},N{n},020 7946 0123,20{n}-01-01\n" for n in (21, 25, 23))
    assert imported(db, tmp_path, f"id,name,phone,updated\n{rows}").imported == 3
    assert names(db) == ["N25", "N23", "N21"]


def test_a_second_import_replaces_by_id_numbers_too_and_keeps_the_rest(db: CustomersDb, tmp_path: Path) -> None:
    imported(db, tmp_path, "id,name,phone\n7,Ada,02079460123\n8,Bob,02079460144\n")
    imported(db, tmp_path, "id,name,phone\n7,Ada King,07700900123\n")
    assert (names(db), names(db, "+447700900123"), names(db, "+442079460144")) == ([], ["Ada King"], ["Bob"])
    assert db.count() == (2, 2)


@pytest.mark.parametrize(
    "data",
    [
        "id,name,phone\n7,Zoë,02079460123\n".encode(),
        "\ufeffid,name,phone\n7,Zoë,02079460123\n".encode(),
        "id,name,phone\r\n7,Zoë,02079460123\r\n".encode("cp1252"),
        "id\tname\tphone\n7\tZoë\t02079460123\n".encode("utf-16"),
        "id;name;phone\r7;Zoë;02079460123".encode(),
        'id,name,phone\n\n,,\n"7","Zoë","02079460123"\n\n'.encode(),
        "id,name,phone,,\n7,Zoë,02079460123,,\n".encode(),
    ],
    ids=["utf-8", "mark", "cp1252", "utf-16", "semicolons", "quotes and blank lines", "empty columns"],
)  # fmt: skip
def test_files_as_spreadsheets_write_them(db: CustomersDb, tmp_path: Path, data: bytes) -> None:
    report = imported(db, tmp_path, data)
    assert (report.imported, report.faults) == (1, ())
    assert names(db) == ["Zoë"]


@pytest.mark.parametrize(
    "cell", ["=1+1", "=HYPERLINK(A1)", "@SUM(1)", "-2+3", "<script>alert(1)</script>", "'; DROP"]
)
def test_a_formula_stays_the_text_it_is(db: CustomersDb, tmp_path: Path, cell: str) -> None:
    imported(db, tmp_path, f'id,name,phone\n{cell},"{cell}",02079460123\n')
    assert names(db) == [cell]


def test_the_customers_we_ship_go_in_without_a_fault(db: CustomersDb) -> None:
    crm = load_crm(ROOT / "ivr_flows")
    assert crm is not None
    report = import_csv(ROOT / "ivr_flows" / "customers.csv", crm, db)
    assert (report.imported, report.faults) == (15, ())
    for number, name in (
        (ADA, "Ada Lovelace"),
        ("+34915550142", "Ramon Llull"),
        ("+442079460144", "Katherine Johnson"),
    ):
        assert names(db, number) == [name]


# what does not

BROKEN = HEAD + (
    "1,One,020 7946 0101,gold,1,1,yes,2020-01-01\n"
    "2,Two,020 7946 0102,gold,many,1,yes,2020-01-01\n"
    "3,Three,1001,gold,1,1,yes,2020-01-01\n"
    "4,Four,,gold,1,1,yes,2020-01-01\n"
    ",Five,020 7946 0105,gold,1,1,yes,2020-01-01\n"
    '6,"Six,020 7946 0106,gold,1,1,yes,2020-01-01\n'
    "7,Seven,020 7946 0107,gold,1,1,yes,2020-01-01\n"
    "1,Eight,020 7946 0108,gold,1,1,yes,2020-01-01\n"
    "9,Nine,020 7946 0109,gold\n"
    "10,Ten,020 7946 0110,gold,1,1,yes,2020-01-01,surplus\n"
    "11,Eleven,020 7946 0111,gold,1,1.234.5,yes,2020-01-01\n"
    "12,Twelve,020 7946 0112,gold,1,1,perhaps,2020-01-01\n"
    "13,Thirteen,020 7946 0113,gold,1,1,yes,31/12/2020\n"
    "14,Four\x00teen,020 7946 0114,gold,1,1,yes,2020-01-01\n"
    f"15,{'x' * 2_001},020 7946 0115,gold,1,1,yes,2020-01-01\n"
    f"16,{'x' * 3_000_000},020 7946 0116,gold,1,1,yes,2020-01-01\n"
    '17,"Seven"teen,020 7946 0117,gold,1,1,yes,2020-01-01\n'
    "18,Eighteen,020 7946 0118 ext 9,gold,1,1,yes,2020-01-01\n"
    '19,"Nine\nteen",020 7946 0119,,,,,\n'
    "20,Twenty,020 7946 0120,gold,1,1,yes,2020-02-30\n"
    "21,Last,020 7946 0121,gold,99999999999999999999,1,yes,2020-01-01\n"
    "22,Really last,020 7946 0122,gold,1,1,no,\n"
)
REASONS = {
    3: "`visits` is no whole number", 4: "`phone`: too short", 5: "no phone number", 6: "`id` is empty",
    7: "its quotes do not pair", 9: "the same `id` as in line 2", 10: "4 cells where the first line has 8",
    11: "9 cells", 12: "`balance` is no number", 13: "`vip` is no yes or no", 14: "`since` is no date",
    15: "`name` is no text", 16: "`name` is no text", 17: "more than 10000 characters",
    18: "its quotes do not pair", 19: "`phone`: a number with an extension", 22: "`since` is no date",
    23: "`visits` is no whole number",
}  # fmt: skip


def test_rows_that_are_fine_go_in_and_each_other_is_listed(db: CustomersDb, tmp_path: Path) -> None:
    report = imported(db, tmp_path, BROKEN)
    assert {finding.line for finding in report.faults} == set(REASONS)
    for finding in report.faults:
        assert finding.code == "broken-row"
        assert REASONS[finding.line] in finding.message
        assert "7946" not in finding.message
        assert "Thirteen" not in finding.message
    assert report.imported == 4
    for number, name in (("101", "One"), ("107", "Seven"), ("119", "Nine\nteen"), ("122", "Really last")):
        assert names(db, f"+442079460{number}") == [name]


def test_a_quote_that_swallows_good_rows_gives_them_back(db: CustomersDb, tmp_path: Path) -> None:
    data = 'id,name,phone\n1,"One,02079460101\n2,Two,02079460102\n3,Three,"\n4,Four,02079460104\n'
    report = imported(db, tmp_path, data)
    assert [finding.line for finding in report.faults] == [2, 4]
    assert (names(db, "+442079460102"), names(db, "+442079460104")) == (["Two"], ["Four"])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"name,phone\nAda,1\n", "there is no column `id`"),
        (b"id,phone\n7,1\n", "there is no column `name` for the title"),
        (b"id,name\n7,Ada\n", "there is no column `phone` for the numbers"),
        (b"id,nmae,phone\n", "did you mean `nmae`?"),
        (b"id,name,phone,Name\n", "two columns are called `Name`"),
        (b'id,"name,phone\n', "the first line cannot be read"),
        (b"PK\x03\x04\x00\x00\x00\x08", "spreadsheet's own format"),
    ],
)
def test_a_file_that_is_no_table_of_customers(db: CustomersDb, tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(ConfigurationError, match="no-customers") as refused:
        imported(db, tmp_path, data)
    assert message in str(refused.value)


def test_a_file_that_is_not_there(db: CustomersDb, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no file .*gone"):
        import_csv(tmp_path / "gone.csv", SETTINGS, db)


# the file itself


def test_the_directory_is_its_owners_alone(db: CustomersDb, tmp_path: Path) -> None:
    db.count()
    assert stat.S_IMODE((tmp_path / "state" / "customers.db").stat().st_mode) == 0o600


def test_an_import_is_all_or_nothing_and_readers_wait_for_nobody(db: CustomersDb, tmp_path: Path) -> None:
    """Read from the other side at each step of an import that breaks half-way."""
    reader = CustomersDb(tmp_path / "state" / "customers.db")
    imported(db, tmp_path, "id,name,phone\n7,Before,02079460123\n")
    seen: list[list[str]] = []

    def half_an_import() -> Iterator[StoredCustomer]:
        seen.append(names(reader))
        yield StoredCustomer("7", {"name": "After"}, 2.0, (ADA,))
        seen.append(names(reader))
        raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        db.put_all(half_an_import())
    assert [*seen, names(reader), names(db)] == [["Before"]] * 4
    db.put_all([StoredCustomer("7", {"name": "After"}, 2.0, (ADA,))])
    assert names(reader) == ["After"]
    reader.close()


async def test_look_ups_go_on_while_somebody_writes(db: CustomersDb, tmp_path: Path) -> None:
    imported(db, tmp_path, "id,name,phone\n7,Ada,02079460123\n")
    connector = DirectoryConnector(tmp_path / "state" / "customers.db", SETTINGS.customer)
    is_writing, may_end = threading.Event(), threading.Event()

    def slowly() -> Iterator[StoredCustomer]:
        for number in range(5_000):  # more than SQLite holds in memory before a commit
            yield StoredCustomer(f"bob{number}", {"name": "Bob" * 500}, 2.0, (f"+4420{number:08}",))
        yield StoredCustomer("8", {"name": "Bob"}, 2.0, (ADA,))
        is_writing.set()
        assert may_end.wait(10)

    importing = asyncio.create_task(asyncio.to_thread(db.put_all, slowly()))
    await asyncio.to_thread(is_writing.wait, 10)
    for _ in range(50):
        (found,) = await connector.find(ADA, 0.5)
        assert found.fields["name"] == "Ada"
    may_end.set()
    await importing
    assert len(await connector.find(ADA, 0.5)) == 2
    await connector.close()


async def test_an_empty_directory_knows_nobody(tmp_path: Path) -> None:
    connector = DirectoryConnector(tmp_path / "state" / "customers.db", SETTINGS.customer)
    assert await connector.find(ADA, 1.0) == []
    await connector.close()


async def test_fields_that_changed_since_the_import(db: CustomersDb, tmp_path: Path) -> None:
    path = tmp_path / "state" / "customers.db"
    imported(db, tmp_path, HEAD + "7,Ada,02079460123,gold,,,,\n")
    more = DirectoryConnector(path, {"name": "text", "segment": "whole"})
    assert await more.find(ADA, 1.0) == [Customer("7", {"name": "Ada", "segment": 0}, 1_000.0)]
    await more.close()
    other = DirectoryConnector(path, {"name": "text", "tier": "number"})
    with pytest.raises(CrmRejected, match=r"`tier` is no number.*changed since the import"):
        await other.find(ADA, 1.0)
    await other.close()


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        (lambda path: path.write_bytes(b"no database, but long enough to be one" * 100), CrmRejected, "damaged"),
        (lambda path: path.mkdir(), CrmUnavailable, "cannot be used"),
    ],
    ids=["garbage", "a folder"],
)  # fmt: skip
async def test_a_file_that_cannot_be_used(
    tmp_path: Path, spoil: object, error: type[Exception], words: str
) -> None:
    path = tmp_path / "customers.db"
    spoil(path)  # type: ignore[operator]
    connector = DirectoryConnector(path, SETTINGS.customer)
    with pytest.raises(error, match=words):
        await connector.find(ADA, 1.0)
    await connector.close()


async def test_a_directory_of_a_newer_release_is_refused(db: CustomersDb, tmp_path: Path) -> None:
    db.count()
    path = tmp_path / "state" / "customers.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    connector = DirectoryConnector(path, SETTINGS.customer)
    with pytest.raises(CrmRejected, match="newer release"):
        await connector.find(ADA, 1.0)
    await connector.close()
