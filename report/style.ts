/** The report's style sheet: light and dark, laptop, phone and paper. Stage colours are variables that the plots use too. */
export const style = `
:root{color-scheme:light dark;--page:#f6f6f4;--card:#fff;--ink:#1b1d21;--muted:#686d76;--line:#e6e6e2;--ghost:#dcdce4;
--teacher:#5b6472;--student:#0f766e;--baseline:#bf5f06;--distilled:#2563eb;--pruned:#7c3aed;--int8:#0d9466;--float:#e0702a;
--pass:#0d7a4f;--fail:#c3272b;--warn:#a15c00;--heatcolour:#2563eb}
@media screen and (prefers-color-scheme:dark){:root{--page:#111317;--card:#1a1d23;--ink:#e9eaee;--muted:#989eaa;--line:#2b2f37;--ghost:#3a3f4b;
--teacher:#a3adbb;--student:#2dd4bf;--baseline:#fbbf24;--distilled:#6ea8fe;--pruned:#b18cff;--int8:#34d399;--float:#fb9a5b;
--pass:#4ade9a;--fail:#ff7b7b;--warn:#fbbf24;--heatcolour:#3b82f6}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;-webkit-text-size-adjust:100%;overflow-wrap:break-word}
header,main{max-width:1180px;margin:0 auto;padding:0 28px}
header{padding-top:44px}
.kicker{margin:0;color:var(--muted);font-weight:600;font-size:14px}.kicker span{margin:0 .25em;opacity:.5}
h1{font-size:clamp(26px,3.6vw,42px);line-height:1.16;letter-spacing:-.022em;font-weight:700;margin:.3em 0 .8em;max-width:24em;text-wrap:balance}
section{margin:46px 0}
h2{font-size:21px;letter-spacing:-.012em;margin:0 0 14px}h2 small{font-size:13px;font-weight:600;margin-left:.5em;letter-spacing:0}
h3{font-size:15px;margin:0 0 10px;font-weight:650}
code,pre{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.lead{margin:-6px 0 16px;max-width:60em}
.caption,figcaption{color:var(--muted);font-size:13px;line-height:1.5;margin:10px 0 0}
.card{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:18px 20px}
.grid{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:18px;align-items:start}
.grid>:only-child{grid-column:1/-1;max-width:680px}
.tiles{display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:14px}
.tile{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:16px 20px;display:grid;gap:1px}
.tile .label{color:var(--muted);font-size:13px}.tile .value{font-size:30px;line-height:1.25;font-weight:700;letter-spacing:-.02em;font-variant-numeric:tabular-nums}
.tile .change{font-weight:600;font-size:14px}.tile .before{color:var(--muted);font-size:13px}
.gates{list-style:none;padding:0;margin:0;display:flex;flex-wrap:wrap;gap:10px}
.gates li{background:var(--card);border:1px solid var(--line);border-left:4px solid;border-radius:10px;padding:8px 14px;display:flex;gap:12px;align-items:baseline}
.gates li.pass{border-left-color:var(--pass)}.gates li.fail{border-left-color:var(--fail)}
.gates small{color:var(--muted)}.gates span{font-variant-numeric:tabular-nums}
.pass>b,small.pass{color:var(--pass)}.fail>b,small.fail{color:var(--fail)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:14px}
th,td{padding:9px 12px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap;vertical-align:top}
th:first-child,td:first-child,.text{text-align:left}td.text{white-space:normal}
thead th{color:var(--muted);font-weight:600;font-size:12.5px;vertical-align:bottom}thead small{font-weight:400}
tbody th{font-weight:600}tbody tr:last-child>*{border-bottom:0}
td small,th[scope=row] small{display:block;color:var(--muted);font-weight:400;font-size:12px;white-space:normal}
td small{margin-left:auto;max-width:19em}
th[scope=row] small{padding-left:17px}
.scroll.card{padding:8px 10px}
.final>*{background:color-mix(in srgb,var(--int8) 9%,transparent)}
.up{color:var(--pass)}.down{color:var(--fail)}
.dot,.legend i{display:inline-block;width:9px;height:9px;border-radius:50%;margin-right:8px;flex:none}
.tag{display:inline-block;font-size:12px;font-weight:600;border:1px solid var(--line);border-radius:99px;padding:0 8px;color:var(--muted)}
.tag.warn{color:var(--warn);border-color:currentColor;margin-left:8px}
figure{margin:0}.plot-card svg{color:var(--muted);display:block;width:100%;height:auto;overflow:visible}
.plot-card svg text{white-space:pre}.plot-card .narrow{display:none}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;margin:0 0 8px;font-size:13px}.legend span{display:flex;align-items:center}.legend i{border-radius:3px}
.heat th,.heat td{border:0;padding:4px}.heat td{text-align:center;border-radius:7px}
.heat thead th:not(:first-child){text-align:center}
.heat{border-collapse:separate;border-spacing:3px}.heat td[style]{background:color-mix(in srgb,var(--heatcolour) calc(var(--heat)*.42),transparent);padding:7px 10px}
.sample{margin:0 0 22px}.sample figcaption{margin:0 0 6px}
.pictures{display:grid;grid-template-columns:repeat(auto-fit,minmax(260px,1fr));gap:10px}
.picture{position:relative;border-radius:10px;overflow:hidden;background:var(--card);border:1px solid var(--line)}
.picture img{display:block;width:100%;height:auto}
.picture>span{display:flex;align-items:center;padding:7px 12px;font-size:13px;font-weight:600}
.missing{margin:0;padding:30px 14px;color:var(--muted);font-size:13px;text-align:center}
details{background:var(--card);border:1px solid var(--line);border-radius:12px;margin:12px 0;padding:0 18px}
summary{cursor:pointer;font-weight:600;font-size:14px;padding:12px 0}details[open]{padding-bottom:14px}
details .caption{margin-top:8px}
pre{overflow-x:auto;margin:0;white-space:pre-wrap}
dl{margin:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(230px,1fr));gap:10px 24px}dt{color:var(--muted);font-size:12.5px}dd{margin:0;overflow-wrap:anywhere}
@media (max-width:860px){.grid{grid-template-columns:minmax(0,1fr)}.tiles{grid-template-columns:repeat(2,minmax(0,1fr))}}
@media (max-width:640px){
header,main{padding:0 16px}header{padding-top:28px}section{margin:36px 0}
.plot-card .wide{display:none}.plot-card .narrow{display:block}.card{padding:14px}
.tiles{gap:10px}.tile{padding:12px 14px}.tile .value{font-size:23px}
.gates li{width:100%;flex-wrap:wrap;gap:2px 12px}
table.cards,.cards tbody{display:block}.cards thead{display:none}
.scroll.card:has(.cards){background:none;border:0;padding:0}
.cards tr{display:grid;grid-template-columns:1fr 1fr;background:var(--card);border:1px solid var(--line);border-radius:12px;padding:10px 14px;margin:0 0 10px;gap:2px 22px}
.cards tr.final{background:color-mix(in srgb,var(--int8) 9%,var(--card));border-color:var(--int8)}.cards tr.final>*{background:none}
.cards th,.cards td{border:0;padding:2px 0;white-space:normal}
.cards th{grid-column:1/-1;font-size:16px;padding-bottom:4px}
.cards td{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 8px}
.cards td::before{content:attr(data-label);color:var(--muted)}
.cards td:nth-child(n+8){grid-column:1/-1}.cards td small{flex-basis:100%;text-align:right;max-width:none}
.scroll table:not(.cards) :is(th,td){padding:8px 7px}.scroll thead th{white-space:normal}
.heat{font-size:13px;border-spacing:2px}.scroll table.heat:not(.cards) :is(th,td){padding:6px 2px}.heat thead th{font-size:11px}.heat .dot{display:block;margin:0 auto 4px}
.pictures{grid-template-columns:none;grid-auto-flow:column;grid-auto-columns:78%;overflow-x:auto;scroll-snap-type:x mandatory;margin-right:-16px;padding-right:16px}
.picture{scroll-snap-align:start}}
@media print{:root{--page:#fff}body{font-size:11px}header,main{max-width:none;padding:0}section{margin:22px 0}
.card,.tile,figure,tr,details{break-inside:avoid}h2{break-after:avoid}.scroll{overflow:visible}}
`;
