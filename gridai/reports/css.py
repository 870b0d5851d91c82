"""The look of the HTML report, on a screen and on A4 paper."""

CSS = """
:root { --ink: #1a1a1a; --grey: #5a5a5a; --line: #c9c9c9; --pale: #f3f5f7; --fail: #a50026; --pass: #00664a; }
* { box-sizing: border-box; }
html { font: 15px/1.45 system-ui, "Segoe UI", "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; color: var(--ink); }
body { max-width: 1080px; margin: 0 auto; padding: 28px 28px 60px; }
h1 { font-size: 1.55rem; line-height: 1.25; margin: 0 0 6px; }
h2 { font-size: 1.15rem; margin: 34px 0 10px; padding-bottom: 4px; border-bottom: 2px solid var(--ink); }
h3 { font-size: 1rem; margin: 20px 0 6px; }
p, ul { margin: 6px 0 10px; max-width: 80ch; }
li { margin: 2px 0; }
.sub, .note, figcaption { color: var(--grey); }
.note { font-size: .87rem; }
nav { margin: 14px 0; font-size: .9rem; }
nav a { color: inherit; margin-right: 1.1em; white-space: nowrap; }
.badge { display: inline-block; padding: 1px 8px; border: 1.5px solid; border-radius: 3px; font-weight: 600;
         white-space: nowrap; }
.pass { color: var(--pass); } .fail { color: #fff; background: var(--fail); border-color: var(--fail); }
.open { color: var(--grey); border-style: dashed; }
.mark { font-weight: 600; color: var(--fail); white-space: nowrap; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: 6px 0 12px; font-size: .87rem; }
th, td { text-align: left; vertical-align: top; padding: 4px 8px; border-bottom: 1px solid var(--line);
         overflow-wrap: break-word; }
th { background: var(--pale); border-bottom: 1.5px solid var(--grey); font-weight: 600; overflow-wrap: normal; }
.num { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
table.pairs { width: auto; min-width: 55%; } table.pairs td:first-child { color: var(--grey); white-space: nowrap; }
.mono { overflow-wrap: anywhere; font: .82rem ui-monospace, Consolas, "DejaVu Sans Mono", monospace; }
figure { margin: 14px 0 22px; } figure img { width: 100%; height: auto; display: block; }
figcaption { font-size: .87rem; margin-top: 4px; }
footer { margin-top: 40px; padding-top: 8px; border-top: 1px solid var(--line); color: var(--grey); font-size: .83rem; }
@page { size: A4; margin: 16mm 14mm 18mm;
        @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; color: #5a5a5a; } }
@media print {
  html { font-size: 9.2pt; } body { max-width: none; padding: 0; } nav { display: none; }
  table { font-size: 7.6pt; } th, td { padding: 2px 5px; } .badge { padding: 0 5px; }
  footer { margin-top: 12pt; break-before: avoid; }
  h2, h3 { break-after: avoid; } h2 { margin-top: 18pt; }
  thead { display: table-header-group; } tr, figure, .keep { break-inside: avoid; }
  figure img { max-height: 235mm; object-fit: contain; object-position: left top; }
  .wide { overflow: visible; } th, .fail { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  .page { break-before: page; }
}
"""
