/**
 * The style sheet of HTML reports: system fonts, both colour schemes, paper, and screens from 320 px on.
 *
 * Contrast is 4.5:1 or more for text and 3:1 for figures in both schemes.
 * @module
 */
export const STYLE = `
:root{--ink:#1b1f24;--soft:#57606a;--paper:#fff;--line:#d0d7de;--tint:#f3f5f8;--a:#5b7fb4;--b:#8a4b00;--note:#fff4d6}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ee;--soft:#a3acb8;--paper:#14171c;--line:#39404a;--tint:#1e232b;--a:#6f9ad6;--b:#f0a24b;--note:#3a3113}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem 1rem 4rem;max-width:64rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .75rem}
h2{font-size:1.25rem;margin:2.5rem 0 .75rem;padding-top:.5rem;border-top:2px solid var(--line)}
h3{font-size:1.05rem;margin:2rem 0 .5rem}
p{margin:.5rem 0;max-width:46rem}
.none{color:var(--soft)}
.note{background:var(--note);border-left:4px solid var(--b);padding:.5rem .75rem}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1rem;list-style:none;margin:1rem 0;padding:0}
a{color:inherit;text-underline-offset:.2em}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(8.25rem,1fr));gap:.5rem;margin:.75rem 0}
dl>.long{grid-column:1/-1}
dl>div{background:var(--tint);border-radius:6px;padding:.5rem .75rem}
dt{font-size:.8rem;color:var(--soft)}
dd{margin:0;font-weight:600;font-variant-numeric:tabular-nums}
.wide{overflow-x:auto;margin:.75rem 0}
table{border-collapse:collapse;width:100%;font-size:.9rem}
caption{text-align:left;font-weight:600;padding:.25rem 0}
th,td{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line);overflow-wrap:break-word}
td{min-width:4.5rem}
td:first-child:has(+.n){min-width:8.5rem}
th{font-size:.8rem;color:var(--soft);font-weight:600}
th:last-child,td:last-child{padding-right:0}
.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums;min-width:0}
td bdi{overflow-wrap:anywhere}
.b{width:38%;min-width:7rem}
.bar{display:block;width:100%;height:6px;margin-top:2px}
.track{fill:var(--tint)}
.fill,.chart rect{fill:var(--a)}
.axis{stroke:var(--soft);stroke-width:1}
figure{margin:.75rem 0}
figcaption{font-weight:600;font-size:.9rem}
.series{font-size:.85rem;margin:.6rem 0 .2rem}
.chart{display:block;width:100%;height:3.5rem}
.series:first-of-type+.chart{height:8rem}
.ends{display:flex;justify-content:space-between;flex-wrap:wrap;gap:0 1rem;font-size:.8rem;color:var(--soft)}
summary{cursor:pointer;font-size:.85rem}
pre{overflow-x:auto;background:var(--tint);padding:.6rem .75rem;border-radius:6px;font:13px/1.5 ui-monospace,monospace;white-space:pre-wrap}
:focus-visible{outline:3px solid var(--a);outline-offset:2px}
@page{margin:14mm}
@media print{:root{--ink:#000;--soft:#444;--paper:#fff;--line:#bbb;--tint:#f3f5f8;--a:#5b7fb4;--b:#8a4b00;--note:#fff}
body{max-width:none;padding:0;font-size:10pt}nav,summary{display:none}details::details-content{content-visibility:visible;display:block}
h2,h3,caption,figcaption,.series,p:has(+dl){break-after:avoid}tr,figure svg,dl>div{break-inside:avoid}tbody tr:first-child{break-before:avoid}thead{display:table-header-group}.wide{overflow:visible}
.bar,.chart,dl>div,.note{print-color-adjust:exact}}
`
