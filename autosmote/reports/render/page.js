// Sorting moves rows only; without scripts the page is whole.
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  const heads = [...table.querySelectorAll("tr.columns th")];
  heads.forEach((head, column) => head.firstElementChild.addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    heads.forEach(other => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const value = row => {
      const cell = row.cells[column];
      return "sort" in cell.dataset ? Number(cell.dataset.sort) : cell.textContent.trim();
    };
    const order = (a, b) => {
      const [x, y] = [value(a), value(b)];
      if (typeof x === "number" && typeof y === "number") return up ? x - y : y - x;
      if (typeof x !== typeof y) return typeof x === "number" ? -1 : 1;
      return up ? x.localeCompare(y) : y.localeCompare(x);
    };
    [...body.rows].sort(order).forEach(row => body.append(row));
  }));
}
