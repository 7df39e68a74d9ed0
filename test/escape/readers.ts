import { execa } from "execa";
import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gfm, gfmHtml } from "micromark-extension-gfm";
import { micromark } from "micromark";
import { parse, type DefaultTreeAdapterTypes } from "parse5";
import { parseDocument } from "yaml";
import { cmakeArgument } from "../../escape/cmake.ts";
import { cppString } from "../../escape/cpp.ts";
import { csvLine } from "../../escape/csv.ts";
import { escapeHtml, escapeJson } from "../../escape/html.ts";
import { iniList, iniValue } from "../../escape/ini.ts";
import { labelLines } from "../../escape/lines.ts";
import { markdownCode, markdownTable, markdownText } from "../../escape/markdown.ts";
import { pythonString } from "../../escape/python.ts";
import { shellWord } from "../../escape/shell.ts";
import { terminalText } from "../../escape/terminal.ts";
import { escapeXml } from "../../escape/xml.ts";
import { yamlString } from "../../escape/yaml.ts";
import { TestTerminal } from "../helpers/terminal.ts";

/** One output format: how names are written, and how somebody else's parser reads them back, all in one file. */
export interface Format {
  readonly name: string;
  readonly reader: string;
  /** The program that reads; the test is skipped, with a word, where it is not here. */
  readonly needs?: string | readonly [program: string, ...args: string[]];
  readonly read: (names: readonly string[], folder: string) => Promise<readonly string[]>;
}

export const isHere = (needs: Format["needs"]): boolean => {
  if (needs === undefined) return true;
  const [program, ...args] = typeof needs === "string" ? [needs, "--version"] : needs;
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
};

/** Names as a program prints them: each ended by NUL. */
const split = (text: string): string[] => text.split("\0").slice(0, -1);

const cpp = (program: string, flags: readonly string[]): Format["read"] => async (names, folder) => {
  const file = join(folder, "names.cpp");
  await writeFile(file, `#include <cstdio>\n#include <string_view>\nconstexpr std::string_view names[] = {\n${names.map((name) => `  ${cppString(name)},`).join("\n")}\n};\nint main() { for (auto name : names) { std::fwrite(name.data(), 1, name.size(), stdout); std::fputc(0, stdout); } }\n`);
  await execa(program, [...flags, "-Wall", "-Wextra", "-Werror", file, "-o", join(folder, "names")]);
  return split((await execa(join(folder, "names"))).stdout);
};

const cmake: Format["read"] = async (names, folder) => {
  const [script, out] = [join(folder, "names.cmake"), join(folder, "names.txt")];
  await writeFile(script, `cmake_minimum_required(VERSION 3.16)\nset(ENV{HOME} evil)\nset(VAR evil)\nfile(WRITE ${cmakeArgument(out)} "")\n${names.map((name) => `set(NAME ${cmakeArgument(name)})\nstring(HEX "\${NAME}" BYTES)\nfile(APPEND ${cmakeArgument(out)} "\${BYTES}\n")`).join("\n")}\n`);
  await execa("cmake", ["-P", script]);
  const { readFile } = await import("node:fs/promises");
  return (await readFile(out, "utf8")).trimEnd().split("\n").map((hex) => Buffer.from(hex, "hex").toString());
};

/** Python reads `file` and prints the names as JSON. */
const python = async (folder: string, text: string, expression: string, imports = "json"): Promise<string[]> => {
  const file = join(folder, "names.in");
  await writeFile(file, text);
  const { stdout } = await execa("python3", ["-c", `import ${imports}, json, sys\nprint(json.dumps(${expression}))`, file]);
  return JSON.parse(stdout) as string[];
};
const pythonHas = (module: string) => ["python3", "-c", `import ${module}`] as const;

/** GLib's key file reader, which DeepStream uses, through ctypes. */
const glib = ["import ctypes", 'g = ctypes.CDLL("libglib-2.0.so.0")'];
const keyFile = (body: readonly string[]): string => [
  ...glib, "import json, sys", "for f in ('g_key_file_new', 'g_key_file_get_string', 'g_key_file_get_string_list'): getattr(g, f).restype = ctypes.c_void_p",
  "k = ctypes.c_void_p(g.g_key_file_new())", "data = open(sys.argv[1], 'rb').read()", "assert g.g_key_file_load_from_data(k, data, ctypes.c_size_t(len(data)), 0, None)", ...body,
].join("\n");
const viaGlib = (text: (names: readonly string[]) => string, body: (count: number) => readonly string[]): Format["read"] => async (names, folder) => {
  const file = join(folder, "names.ini");
  await writeFile(file, text(names));
  const { stdout } = await execa("python3", ["-c", keyFile(body(names.length)), file]);
  return JSON.parse(stdout) as string[];
};

const shell = (program: string, ...args: readonly string[]): Format["read"] => async (names, folder) => {
  const file = join(folder, "names.sh");
  await writeFile(file, `printf '%s\\0' ${names.map(shellWord).join(" ")}\n`);
  return split((await execa(program, [...args, file], { cwd: folder, stripFinalNewline: false })).stdout);
};

type Node = DefaultTreeAdapterTypes.ChildNode;
const textOf = (node: Node): string => (node.nodeName === "#text" && "value" in node ? node.value : "childNodes" in node ? node.childNodes.map(textOf).join("") : "");
const all = (node: { readonly childNodes?: readonly Node[] }, tag: string): Node[] => (node.childNodes ?? []).flatMap((child) => [...(child.nodeName === tag ? [child] : []), ...all(child as never, tag)]);
/** What a page shows in each element of a kind; elements that nobody wrote fail. */
const shownIn = (html: string, tag: string, allowed: readonly string[]): string[] => {
  const document = parse(html);
  const tags = new Set<string>();
  const visit = (node: { readonly childNodes?: readonly Node[] }): void => { for (const child of node.childNodes ?? []) { if (!child.nodeName.startsWith("#")) tags.add(child.nodeName); visit(child as never); } };
  visit(document);
  const stray = [...tags].filter((one) => !["html", "head", "body", tag, ...allowed].includes(one));
  if (stray.length > 0) throw new Error(`names became elements: ${stray.join(", ")}`);
  return all(document, tag).map(textOf);
};
const markdown = (text: string): string => micromark(text, { extensions: [gfm()], htmlExtensions: [gfmHtml()], allowDangerousHtml: true });

const terminal: Format["read"] = async (names) => {
  const screen = new TestTerminal(2000, 24);
  await screen.write(names.map((name) => `\x1b[31m[\x1b[39m${terminalText(name)}]\n`).join(""));
  return screen.screen().lines.slice(0, names.length).map((line) => line.slice(1, line.lastIndexOf("]")));
};

const attribute = (node: Node): string => ("attrs" in node ? node.attrs.find(({ name }) => name === "title")?.value ?? "" : "");

/** Every format that we write. */
export const formats: readonly Format[] = [
  { name: "C++", reader: "g++ -std=c++17", needs: "g++", read: cpp("g++", ["-std=c++17", "-trigraphs"]) },
  { name: "C++", reader: "g++ -std=gnu++20", needs: "g++", read: cpp("g++", ["-std=gnu++20"]) },
  { name: "C++", reader: "clang++", needs: "clang++", read: cpp("clang++", ["-std=c++17", "-ftrigraphs"]) },
  { name: "CMake", reader: "cmake", needs: "cmake", read: cmake },
  { name: "CSV", reader: "Python's csv", needs: "python3", read: async (names, folder) => (await python(folder, `name,id\n${names.map((name, id) => csvLine([name, id])).join("\n")}\n`, "[row[0] for row in csv.reader(open(sys.argv[1], newline='', encoding='utf8'), strict=True)]", "csv")).slice(1) },
  { name: "label file", reader: "Python's splitlines", needs: "python3", read: (names, folder) => python(folder, labelLines(names), "open(sys.argv[1], encoding='utf8', newline='').read().splitlines()") },
  { name: "label file", reader: "bash's mapfile", needs: "bash", read: async (names, folder) => {
    await writeFile(join(folder, "names.txt"), `${labelLines(names)}\n`);
    return split((await execa("bash", ["-c", "mapfile -t names < names.txt; printf '%s\\0' \"${names[@]}\""], { cwd: folder })).stdout);
  } },
  { name: "YAML", reader: "PyYAML", needs: pythonHas("yaml"), read: (names, folder) => python(folder, names.map((name) => `- ${yamlString(name)}\n`).join(""), "yaml.safe_load(open(sys.argv[1], 'rb'))", "yaml") },
  { name: "YAML", reader: "yaml, 1.2", read: (names) => Promise.resolve(parseDocument(names.map((name) => `- ${yamlString(name)}\n`).join("")).toJS() as string[]) },
  { name: "YAML keys", reader: "yaml, 1.1", read: (names) => Promise.resolve(Object.keys(parseDocument(names.map((name) => `${yamlString(`k${name}`)}: 1\n`).join(""), { version: "1.1" }).toJS() as object).map((key) => key.slice(1))) },
  { name: "INI value", reader: "GLib", needs: pythonHas("ctypes; ctypes.CDLL('libglib-2.0.so.0')"), read: viaGlib((names) => `[a]\n${names.map((name, i) => `k${i}=${iniValue(name)}`).join("\n")}\n`,
    (count) => [`print(json.dumps([ctypes.string_at(g.g_key_file_get_string(k, b"a", b"k%d" % i, None)).decode() for i in range(${count})]))`]) },
  { name: "INI list", reader: "GLib", needs: pythonHas("ctypes; ctypes.CDLL('libglib-2.0.so.0')"), read: viaGlib((names) => `[a]\nk=${iniList(names)}\n`,
    () => ["n = ctypes.c_size_t()", 'p = ctypes.cast(g.g_key_file_get_string_list(k, b"a", b"k", ctypes.byref(n), None), ctypes.POINTER(ctypes.c_char_p))', "print(json.dumps([p[i].decode() for i in range(n.value)]))"]) },
  { name: "Python", reader: "ast.literal_eval", needs: "python3", read: (names, folder) => python(folder, `{${names.map((name, i) => `${i}: ${pythonString(name)}`).join(", ")}}`, "list(ast.literal_eval(open(sys.argv[1], encoding='utf8', newline='').read()).values())", "ast") },
  { name: "Markdown paragraphs", reader: "micromark with GFM", read: (names) => Promise.resolve(shownIn(markdown(names.map(markdownText).join("\n\n")), "p", [])) },
  { name: "Markdown list", reader: "micromark with GFM", read: (names) => Promise.resolve(shownIn(markdown(names.map((name) => `- ${markdownText(name)}`).join("\n")), "li", ["ul"]).map((text) => text.replace(/^\n|\n$/g, ""))) },
  { name: "Markdown table", reader: "micromark with GFM", read: (names) => Promise.resolve(shownIn(markdown(markdownTable(["name", "id"], names.map((name, id) => [name, id]))), "td", ["table", "thead", "tbody", "tr", "th"]).filter((_, at) => at % 2 === 0)) },
  { name: "Markdown code", reader: "micromark with GFM", read: (names) => Promise.resolve(shownIn(markdown(markdownTable(["name"], names.map((name) => [{ code: name }]))), "td", ["table", "thead", "tbody", "tr", "th", "code"])) },
  { name: "Markdown code in text", reader: "micromark with GFM", read: (names) => Promise.resolve(shownIn(markdown(names.map((name) => `${markdownCode(name)}`).join("\n\n")), "p", ["code"])) },
  { name: "HTML text", reader: "parse5", read: (names) => Promise.resolve(shownIn(`<!doctype html><body>${names.map((name) => `<p>${escapeHtml(name)}</p>`).join("")}`, "p", [])) },
  { name: "HTML title", reader: "parse5", read: (names) => Promise.resolve(names.map((name) => shownIn(`<!doctype html><title>${escapeHtml(name)}</title>`, "title", [])[0]!)) },
  { name: "HTML attribute", reader: "parse5", read: (names) => Promise.resolve(all(parse(names.map((name) => `<i title="${escapeHtml(name)}"></i>`).join("")), "i").map(attribute)) },
  { name: "HTML attribute in '", reader: "parse5", read: (names) => Promise.resolve(all(parse(names.map((name) => `<i title='${escapeHtml(name)}'></i>`).join("")), "i").map(attribute)) },
  { name: "JSON in a script", reader: "parse5", read: (names) => Promise.resolve(JSON.parse(shownIn(`<script type="application/json">${escapeJson(names)}</script>`, "script", [])[0]!) as string[]) },
  { name: "SVG in HTML", reader: "parse5", read: (names) => Promise.resolve(shownIn(`<svg xmlns="http://www.w3.org/2000/svg">${names.map((name) => `<text>${escapeXml(name)}</text>`).join("")}</svg>`, "text", ["svg"])) },
  { name: "SVG and XML", reader: "Python's expat", needs: "python3", read: (names, folder) => python(folder, `<svg xmlns="http://www.w3.org/2000/svg">${names.map((name) => `<text>${escapeXml(name)}</text>`).join("")}</svg>`, "[e.text for e in xml.etree.ElementTree.parse(sys.argv[1]).getroot()]", "xml.etree.ElementTree") },
  { name: "XML attributes", reader: "Python's expat", needs: "python3", read: (names, folder) => python(folder, `<launch>${names.map((name) => `<arg default="${escapeXml(name)}"/>`).join("")}</launch>`, "[e.get('default') for e in xml.etree.ElementTree.parse(sys.argv[1]).getroot()]", "xml.etree.ElementTree") },
  { name: "shell", reader: "sh", needs: ["sh", "-c", "true"], read: shell("sh") },
  { name: "shell", reader: "bash", needs: "bash", read: shell("bash") },
  { name: "shell", reader: "zsh", needs: "zsh", read: shell("zsh") },
  { name: "shell", reader: "fish", needs: "fish", read: shell("fish", "--no-config") },
  { name: "terminal", reader: "xterm", read: terminal },
];
