"""The look of a report: readable on light, dark and paper."""

CSS = """
:root {
  color-scheme: light dark;
  --paper: #ffffff; --card: #f5f6f8; --ink: #1b1f27; --muted: #606a79;
  --grid: #d9dde4; --accent: #0072b2; --soft: #e3f0f8;
  --better: #0072b2; --even: #c5cad3; --worse: #d55e00;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #14171d; --card: #1d2129; --ink: #eceff4; --muted: #9aa4b3;
    --grid: #353c48; --accent: #56b4e9; --soft: #1a3243;
    --better: #56b4e9; --even: #4a5260; --worse: #e8792f;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; max-width: 1080px; padding: 56px 40px 80px;
  background: var(--paper); color: var(--ink);
  font: 16px/1.6 Inter, system-ui, -apple-system, "Segoe UI", Roboto,
    "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums;
  print-color-adjust: exact; -webkit-print-color-adjust: exact;
}
h1 { font-size: 44px; line-height: 1.12; letter-spacing: -.022em;
  margin: 6px 0 18px; }
h2 { font-size: 27px; letter-spacing: -.015em; margin: 0 0 18px; }
h3 { font-size: 16px; margin: 34px 0 10px; }
section { margin-top: 64px; padding-top: 28px;
  border-top: 1px solid var(--grid); }
.kicker { margin: 0; color: var(--accent); font-weight: 600;
  font-size: 14px; letter-spacing: .01em; }
.lead { font-size: 20px; line-height: 1.5; max-width: 46em;
  margin: 0 0 26px; }
.small, figcaption { color: var(--muted); font-size: 14px; }
.absent { color: var(--muted); font-style: italic; font-weight: 400; }
.callout { margin: 0 0 30px; padding: 13px 18px; background: var(--card);
  border-left: 4px solid #e69f00; border-radius: 0 8px 8px 0; }
.tiles + .callout { margin-top: 30px; }
.callout + .callout { margin-top: -18px; }
.tiles { display: grid; gap: 14px; margin: 30px 0 0;
  grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); }
.tiles div { background: var(--card); border-radius: 12px;
  padding: 15px 20px; }
.tiles b { display: block; font-size: 25px; line-height: 1.35;
  letter-spacing: -.01em; }
.tiles span { color: var(--muted); font-size: 14px; }
.tiles b .absent { font-size: 17px; }
.weights, .verdict { display: grid; align-items: center; gap: 7px 14px;
  grid-template-columns: max-content 1fr max-content; }
.weights i { height: 18px; border-radius: 4px; background: var(--accent);
  width: calc(var(--part) * 100%); min-width: 3px; }
.verdict { grid-template-columns: max-content 1fr; }
.verdict div { display: flex; gap: 3px; }
.verdict div i { min-width: 30px; padding: 2px 10px; border-radius: 5px; }
i.better, i.even, i.worse { font-style: normal; font-weight: 600; }
.verdict + .small i { padding: 1px 7px; border-radius: 4px; }
i.better { background: var(--better); color: var(--paper); }
i.even { background: var(--even); color: var(--ink); }
i.worse { background: var(--worse); color: var(--paper); }
figure { margin: 26px 0; break-inside: avoid; }
figure svg { display: block; width: 100%; height: auto; }
figure img { display: block; width: 100%; height: auto;
  border-radius: 8px; }
figure svg text { font-family: inherit !important; }
figcaption { margin-top: 10px; }
.scroll { overflow-x: auto; margin: 26px 0 10px; }
table { border-collapse: collapse; width: 100%; font-size: 15px; }
th, td { padding: 8px 12px; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--grid); }
thead th { color: var(--muted); font-weight: 600; font-size: 13px;
  border-bottom: 2px solid var(--grid); }
th:first-child { text-align: left; }
tbody th { font-weight: 500; }
td small { color: var(--muted); margin-left: 4px; }
td.best { color: var(--accent); font-weight: 700; background: var(--soft); }
tr.chosen th { color: var(--accent); font-weight: 700; }
td.flags, .words { white-space: normal; }
thead th.words, td.words { text-align: left; }
td.flags em { display: inline-block; font-style: normal; font-size: 13px;
  background: var(--card); border-radius: 4px; padding: 0 8px;
  margin: 1px 0 1px 4px; }
pre { background: var(--card); border-radius: 10px; padding: 16px 20px;
  margin: 0 0 24px; white-space: pre-wrap; overflow-wrap: anywhere;
  font: 14px/1.6 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
dl { columns: 2; column-gap: 48px; margin: 0; font-size: 14px; }
dl div { display: grid; grid-template-columns: 11.5em 1fr; gap: 16px;
  break-inside: avoid; padding: 3px 0; }
dt { color: var(--muted); overflow-wrap: anywhere; }
dd { margin: 0; overflow-wrap: anywhere; }
dl.legend { margin-bottom: 40px; }
dl.legend div { grid-template-columns: 7.5em 1fr; }
@media (max-width: 640px) {
  body { padding: 28px 18px; }
  h1 { font-size: 32px; }
  dl { columns: 1; }
}
@media print {
  @page { margin: 14mm; }
  body { max-width: none; padding: 0; font-size: 12px; }
  h1 { font-size: 32px; }
  .lead { font-size: 16px; }
  section { margin-top: 26px; padding-top: 20px; }
  .tiles { grid-template-columns: repeat(4, 1fr); }
  .tiles b { font-size: 18px; }
  .small, figcaption, .tiles span, dl { font-size: 10.5px; }
  .scroll { overflow: visible; }
  table { font-size: 9px; }
  thead th, td.flags em { font-size: 8.5px; }
  th, td { padding: 4px 5px; }
  tr, .tiles, .verdict, pre { break-inside: avoid; }
  h2, h3, section > p { break-after: avoid; }
}
"""
