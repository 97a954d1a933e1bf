// Sorts tables and chooses rows and columns of them; without scripts the page is whole.
"use strict";

const MANY_ROWS = 30; // from which on a table can be searched

function element(name, text, attributes = {}) {
  const made = Object.assign(document.createElement(name), attributes);
  made.textContent = text;
  return made;
}

// The groups of rows as they were: a body of the table, its row with the title, the other rows.
function readGroups(table) {
  const bodies = [...table.tBodies].filter(body => !body.classList.contains("pinned"));
  return bodies.map(body => ({
    body,
    title: body.querySelector("tr.group"),
    rows: [...body.querySelectorAll("tr:not(.group)")],
  }));
}

function compare(column, isText, sign) {
  const value = row => {
    const cell = row.cells[column];
    if (isText) return cell.textContent.trim();
    return Number(cell.dataset.sort ?? parseFloat(cell.firstChild?.textContent));
  };
  return (first, second) => {
    const [a, b] = [value(first), value(second)];
    if (isText) return sign * a.localeCompare(b, "en", { numeric: true });
    if (isNaN(a) || isNaN(b)) return isNaN(a) - isNaN(b); // what is not known is last
    return sign * (a - b);
  };
}

// A click sorts with the best first, another the other way round, a third as it was.
function makeSortable(table, heads, groups) {
  const across = "across" in table.dataset;
  if (across) {
    for (const { title, rows } of groups.filter(group => group.title)) {
      for (const row of rows) {
        row.cells[0].append(element("small", title.textContent, { className: "of" }));
      }
    }
  }
  for (const head of heads) {
    const button = element("button", "", { type: "button" });
    button.append(...head.childNodes);
    head.append(button);
    const order = ["ascending", "descending"];
    if ("high" in head.dataset) order.reverse();
    button.addEventListener("click", () => {
      const next = order[order.indexOf(head.getAttribute("aria-sort")) + 1];
      for (const other of heads) other.removeAttribute("aria-sort");
      table.classList.toggle("mixed", across && next !== undefined);
      for (const { body, rows } of groups) body.append(...rows);
      if (next === undefined) return;
      head.setAttribute("aria-sort", next);
      const isText = head.classList.contains("text") || head.classList.contains("name");
      const sign = next === "ascending" ? 1 : -1;
      const sort = rows => [...rows].sort(compare(Number(head.dataset.column), isText, sign));
      if (across) groups[0].body.append(...sort(groups.flatMap(group => group.rows)));
      else for (const { body, rows } of groups) body.append(...sort(rows));
    });
  }
}

function makeSelect(controls, name, choices, choose) {
  const label = element("label", `${name} `);
  const select = element("select", "");
  select.append(...["All", ...choices].map((text, i) => element("option", text, { value: i })));
  select.addEventListener("change", () => choose(Number(select.value)));
  label.append(select);
  controls.append(label);
}

// Rows are shown that pass every test; each control puts its own into `tests`.
function makeRowControls(controls, table, heads, groups) {
  const tests = new Map();
  const count = element("span", "", { role: "status" });
  const update = () => {
    let shown = 0, all = 0;
    for (const group of groups) {
      for (const row of group.rows) {
        row.hidden = ![...tests.values()].every(test => test(row, group));
        shown += !row.hidden;
        all += 1;
      }
      if (group.title) group.title.hidden = group.rows.every(row => row.hidden);
    }
    count.textContent = shown < all ? `${shown} of ${all} rows` : "";
  };
  const titled = groups.filter(group => group.title);
  if (titled.length > 1) {
    const titles = titled.map(group => group.title.textContent);
    makeSelect(controls, table.dataset.groups, titles, chosen => {
      tests.set("group", (row, group) => !chosen || group === titled[chosen - 1]);
      update();
    });
  }
  for (const head of heads.filter(head => "choice" in head.dataset)) {
    const column = Number(head.dataset.column);
    const text = row => row.cells[column].textContent;
    const choices = [...new Set(groups.flatMap(group => group.rows.map(text)))];
    makeSelect(controls, head.textContent, choices, chosen => {
      tests.set(column, row => !chosen || text(row) === choices[chosen - 1]);
      update();
    });
  }
  if (groups.reduce((n, group) => n + group.rows.length, 0) > MANY_ROWS) {
    const label = element("label", "Search ");
    const input = element("input", "", { type: "search" });
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      tests.set("search", row => row.cells[0].textContent.toLowerCase().includes(wanted));
      update();
    });
    label.append(input);
    controls.append(label);
  }
  return count;
}

function makeColumnControl(controls, table) {
  const spans = [...table.querySelectorAll("th[scope=colgroup]")];
  if (!("choices" in table.dataset) || spans.length < 2) return;
  const heads = [...table.querySelectorAll("thead tr:last-child th")];
  const widths = spans.map(span => span.colSpan);
  const ofSpan = spans.flatMap((span, i) => Array(widths[i]).fill(i)); // of each head below
  makeSelect(controls, table.dataset.choices, spans.map(span => span.textContent), chosen => {
    const isHidden = i => chosen > 0 && i !== chosen - 1;
    spans.forEach((span, i) => { span.hidden = isHidden(i); });
    heads.forEach((head, i) => {
      head.hidden = isHidden(ofSpan[i]);
      for (const row of table.querySelectorAll("tbody tr:not(.group), tfoot tr:not(.group)")) {
        row.cells[Number(head.dataset.column)].hidden = head.hidden;
      }
    });
  });
}

for (const table of document.querySelectorAll("table")) {
  const heads = [...table.querySelectorAll("th[data-column]")];
  const groups = readGroups(table);
  const controls = element("div", "", { className: "controls" });
  if (!heads.length || !groups.length) continue;
  const count = makeRowControls(controls, table, heads, groups);
  makeColumnControl(controls, table);
  makeSortable(table, heads, groups);
  if (controls.childNodes.length) {
    controls.append(count);
    table.parentElement.before(controls);
  }
}

// Where a wide screen is too narrow, intervals are broken, then letters are smaller; what cannot be scrolled needs no
// stop of the keyboard; rows on top stay below the head.
const WIDE = 1000;

function fit(box) {
  const isTooWide = () => box.scrollWidth > box.clientWidth;
  const table = box.querySelector("table");
  if (table) {
    table.classList.remove("wrapped", "smaller");
    for (const remedy of ["wrapped", "smaller"]) {
      table.classList.toggle(remedy, isTooWide() && innerWidth > WIDE);
    }
    table.style.setProperty("--head", `${table.tHead.offsetHeight}px`);
  }
  if (isTooWide() || box.scrollHeight > box.clientHeight) box.tabIndex = 0;
  else box.removeAttribute("tabindex");
}

const fitAll = part => part.querySelectorAll(".scroll").forEach(fit);
addEventListener("resize", () => fitAll(document));
document.addEventListener("toggle", event => fitAll(event.target), true);
fitAll(document);
