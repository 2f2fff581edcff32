"""Each generator's client submits, lists, waits for, reads and deletes a Job, and reads an error.

The programs for the two generators that docs/guide/clients.md recommends are the blocks of code on that page.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.support.api import Api, token
from tests.support.documentation import fences
from tests.support.sizes import THOROUGH

if TYPE_CHECKING:
    from infra.local.local_stack import Stack

HERE = Path(__file__).parent
MODULES = HERE / "npm/node_modules"
TOOLS = Path(sys.executable).parent
OPENAPI_GENERATOR = Path(".venv-generators/bin/openapi-generator-cli").absolute()
PAGE = "docs/guide/clients.md"
DOCUMENT = "openapi.json"
"""The document of the deployment, in the folder of each client."""
TSC = "node_modules/.bin/tsc"
COMPILER = {
    "outDir": "js",
    "strict": True,
    "skipLibCheck": True,
    "target": "es2022",
    "module": "nodenext",
    "types": ["node"],
}
HEY_API = """export default {
  input: "openapi.json", output: { path: "client", module: { extension: ".js" } }, plugins: ["@hey-api/client-fetch"],
};"""
CLASSPATH = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath -Dmdep.outputFile=classpath"
JAVA_SOURCES = "src/main/java"


class Client(NamedTuple):
    """How a client is generated, built and run: a program, the name it gets, and commands in a folder."""

    program: str
    name: str
    commands: tuple[str, ...]


def generate(generator: str, folder: str, *properties: str) -> str:
    """Return the command that runs openapi-generator."""
    options = f" --additional-properties={','.join(properties)}" if properties else ""
    return f"{OPENAPI_GENERATOR} generate -i {DOCUMENT} -g {generator} -o {folder}{options}"


def block(language: str) -> str:
    """Return the program in *language* on the page of clients."""
    (found,) = [fence.text for fence in fences(language) if fence.page == PAGE]
    return found


def program(file: str) -> str:
    """Return the program in *file*."""
    return (HERE / "programs" / file).read_text(encoding="utf-8")


PYTHON_CLIENT = f"{TOOLS}/openapi-python-client generate --path {DOCUMENT} --output-path researcher_client --meta none"
GATE = {
    "openapi-python-client": Client(block("python"), "main.py", (PYTHON_CLIENT, f"{sys.executable} main.py")),
    "openapi-fetch": Client(
        block("ts"),
        "main.ts",
        (f"node_modules/.bin/openapi-typescript {DOCUMENT} --output schema.d.ts", TSC, "node js/main.js"),
    ),
    "java": Client(
        program("Main.java"),
        f"{JAVA_SOURCES}/Main.java",
        (generate("java", "."), f"mvn -q -B compile {CLASSPATH}", "java -cp target/classes:@classpath Main"),
    ),
}
WEEKLY = {
    "hey-api": Client(
        program("hey_api.ts"),
        "main.ts",
        ("node_modules/.bin/openapi-ts", TSC, "node js/main.js"),
    ),
    "typescript-fetch": Client(
        program("typescript_fetch.ts"),
        "main.ts",
        (generate("typescript-fetch", "client", "importFileExtension=.js"), TSC, "node js/main.js"),
    ),
    "python": Client(
        program("openapi_generator.py"), "main.py", (generate("python", "."), f"{sys.executable} main.py")
    ),
    "go": Client(
        program("main.go"),
        "program/main.go",
        (
            generate("go", ".", "enumClassPrefix=true"),
            "go mod edit -module example.com/client",
            "go run ./program",
        ),
    ),
}


@pytest.mark.parametrize("client", [*GATE, *(WEEKLY if THOROUGH else ())])
def test_client_runs_a_job(stack: Stack[Any], tmp_path: Path, client: str) -> None:
    """The client compiles, each response has its type, and an error has its code."""
    text, name, commands = {**GATE, **WEEKLY}[client]
    with Api(stack) as api:
        (tmp_path / DOCUMENT).write_text(api.request("GET", "/openapi.json").text)
    (tmp_path / "node_modules").symlink_to(MODULES)
    (tmp_path / "package.json").write_text(json.dumps({"type": "module"}))
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": COMPILER, "files": ["main.ts"]}))
    (tmp_path / "openapi-ts.config.mjs").write_text(HEY_API)
    environment = os.environ | {
        "BASE_URL": stack.base_url,
        "TOKEN": token(stack, "alice"),
        "GOFLAGS": "-mod=mod",
        "PATH": f"{TOOLS}:{os.environ['PATH']}",  # openapi-python-client runs ruff
    }
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text)

    output = ""
    for command in commands:
        output = run(command, tmp_path, environment)

    found = re.search(r"\Alisted (\w+)\nfinished (\w+)\n(.+\n)+\n?deleted (\w+)\nerror (\d+) (\w+)\Z", output.strip())
    assert found, output
    assert [each.lower() for each in found.group(1, 2, 4, 5, 6)] == ["true", "succeeded", "true", "403", "forbidden"]


def run(command: str, folder: Path, environment: dict[str, str]) -> str:
    """Run *command* in *folder*, and return what it prints; `@file` is the content of a file."""
    words = [re.sub(r"@(\w+)\Z", lambda file: (folder / file[1]).read_text().strip(), word) for word in command.split()]
    assert shutil.which(words[0], path=environment["PATH"]) or Path(folder, words[0]).exists(), f"{words[0]} is missing"
    result = subprocess.run(words, cwd=folder, env=environment, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-5_000:] + result.stderr[-5_000:]
    return result.stdout
