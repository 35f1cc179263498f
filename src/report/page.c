/* See page.h. The style and the script of the page stand here too: the page asks nobody for anything. */
#include "report/page.h"

#include "report/text.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>

static void put_text(struct page *p, struct str s)
{
        s = text_clean(&p->arena, s);
        size_t from = 0;
        for (size_t i = 0; i < s.n; i++) {
                const char *escaped = s.p[i] == '<'    ? "&lt;"
                                      : s.p[i] == '>'  ? "&gt;"
                                      : s.p[i] == '&'  ? "&amp;"
                                      : s.p[i] == '"'  ? "&quot;"
                                      : s.p[i] == '\'' ? "&#39;"
                                                       : NULL;
                if (!escaped)
                        continue;
                fwrite(s.p + from, 1, i - from, p->to);
                fputs(escaped, p->to);
                from = i + 1;
        }
        if (s.n > from)
                fwrite(s.p + from, 1, s.n - from, p->to);
}

void page_put_texts(struct page *p, const char *template, const struct str *texts, size_t n)
{
        size_t used = 0;
        for (const char *mark; (mark = strchr(template, '@')); template = mark + 1) {
                fwrite(template, 1, (size_t)(mark - template), p->to);
                assert(used < n);
                put_text(p, texts[used++]);
        }
        assert(used == n);
        fputs(template, p->to);
}

void page_raw(struct page *p, const char *markup) { fputs(markup, p->to); }

struct str page_version_class(struct str version) { return version.n <= 40 ? STR("mono v") : STR("mono"); }

struct str page_hash(struct arena *a, const char *text)
{
        uint8_t hash[EVP_MAX_MD_SIZE], base64[64];
        unsigned n = 0;
        if (!EVP_Digest(text, strlen(text), hash, &n, EVP_sha256(), NULL))
                abort(); /* no memory: SHA-256 is always there */
        EVP_EncodeBlock(base64, hash, (int)n);
        return arena_printf(a, "sha256-%s", (const char *)base64);
}

/* clang-format off */
const char page_style[] =
":root{color-scheme:light dark;--bg:#f6f7f8;--card:#fff;--ink:#1b2127;--soft:#56606b;--line:#dfe3e7;--hair:#eceff1;"
"--link:#1a5fb4;--bad:#a51d33;--bad-bg:#fdf2f3;--warn:#7d4e00;--warn-bg:#fff8e6;--good:#17643a;--good-bg:#eff8f2;"
"--critical:#931a30;--critical-ink:#fff;--high:#bf3f0c;--high-ink:#fff;--medium:#fdeec8;--medium-ink:#6d4500;"
"--low:#e3edf8;--low-ink:#1d4c7d;--unknown:#e9ebee;--unknown-ink:#454d56;--verified:#3b8f5f;--owned:#9cc9af;"
"--database:#8fb3da;--modified:#bf3f0c;--stray:#d8a534;--skipped:#8d939b}\n"
"@media (prefers-color-scheme:dark){:root{--bg:#111417;--card:#191d22;--ink:#e7eaed;--soft:#a5aeb8;--line:#2e353c;"
"--hair:#242a30;--link:#8ab8f2;--bad:#ff96a3;--bad-bg:#2b171b;--warn:#f0c674;--warn-bg:#2a2313;--good:#8fd9ad;"
"--good-bg:#15261c;--critical:#b3243f;--high:#b8430f;--medium:#44350f;--medium-ink:#f5d48a;--low:#1c3048;"
"--low-ink:#aed0f7;--unknown:#2b3138;--unknown-ink:#c4cbd3;--verified:#4aa873;--owned:#2f6a4a;--database:#3f6796;"
"--modified:#e0672f;--stray:#d8a534;--skipped:#79818a}}\n"
"*{box-sizing:border-box}[hidden]{display:none!important}\n"
"html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}\n"
"body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,"
"\"Helvetica Neue\",\"Noto Sans\",\"Liberation Sans\",Arial,sans-serif;font-variant-numeric:tabular-nums}\n"
".wrap{max-width:1400px;margin:0 auto;padding:0 32px}\n"
"a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}\n"
"a:focus-visible,summary:focus-visible,input:focus-visible,select:focus-visible{outline:2px solid var(--link);"
"outline-offset:2px;border-radius:3px}\n"
"code,.mono{font-family:ui-monospace,\"SF Mono\",SFMono-Regular,Menlo,Consolas,\"Liberation Mono\",monospace;"
"font-size:.9em;overflow-wrap:anywhere}\n"
".soft{color:var(--soft)}.bad{color:var(--bad);font-weight:600}.num{text-align:right;white-space:nowrap}\n"
".nowrap,.v{white-space:nowrap}.hide{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}\n"
"header.wrap{padding-top:36px;padding-bottom:26px}\n"
".brand{margin:0 0 14px;font-size:13px;letter-spacing:.08em;text-transform:uppercase;color:var(--soft)}\n"
"h1{margin:0;font-size:32px;line-height:1.2;font-weight:650;letter-spacing:-.01em;overflow-wrap:anywhere}\n"
"h2{margin:0 0 14px;font-size:19px;line-height:1.3;font-weight:650}\n"
"h3{margin:24px 0 8px;font-size:15px;font-weight:650}\n"
".facts{margin:10px 0 0;padding:0;list-style:none;display:flex;flex-wrap:wrap;gap:2px 22px}\n"
".facts li{overflow-wrap:anywhere}\n"
"section>p{margin:0}\n"
"section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:24px 28px;margin:0 0 20px}"
"\n"
".verdict{border-left:6px solid var(--good);background:var(--good-bg)}\n"
".verdict.denied{border-left-color:var(--bad);background:var(--bad-bg)}\n"
".verdict h2{font-size:24px;margin:0;color:var(--good)}.verdict.denied h2{color:var(--bad)}\n"
".verdict h2 span{font-size:16px;font-weight:400;color:var(--ink);margin-left:8px}\n"
".rules{list-style:none;margin:12px 0 0;padding:0;display:grid;grid-template-columns:auto auto auto 1fr;"
"gap:4px 20px}\n"
".rules li{display:contents}.rules b{font-weight:600}\n"
".mark{color:var(--bad);font-weight:700}.warns .mark{color:var(--warn)}\n"
".note{margin:14px 0 0;padding:10px 14px;border-radius:6px;background:var(--warn-bg);color:var(--warn);"
"border:1px solid currentColor}\n"
".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(120px,1fr));gap:12px;list-style:none;"
"margin:0 0 20px;padding:0}\n"
".tiles li{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 18px}\n"
".tiles b{display:block;font-size:28px;line-height:1.15;font-weight:650}\n"
".tiles span{font-size:14px;color:var(--soft);display:flex;align-items:center;gap:7px}\n"
".tiles i{width:10px;height:10px;border-radius:3px;flex:none}\n"
".tiles .none b{color:var(--soft);font-weight:400}\n"
"i.critical{background:var(--critical)}i.high{background:var(--high)}i.medium{background:var(--stray)}i.low{"
"background:var(--database)}i.unknown{background:var(--skipped)}\n"
".sev{display:inline-block;min-width:68px;text-align:center;padding:1px 8px;border-radius:5px;font-size:13px;"
"font-weight:600;background:var(--unknown);color:var(--unknown-ink)}\n"
".sev.critical{background:var(--critical);color:var(--critical-ink)}.sev.high{background:var(--high);"
"color:var(--high-ink)}\n"
".sev.medium{background:var(--medium);color:var(--medium-ink)}.sev.low{background:var(--low);color:var(--low-ink)}"
"\n"
".tag{display:inline-block;padding:0 7px;border:1px solid currentColor;border-radius:5px;font-size:12.5px;"
"font-weight:600;color:var(--bad);white-space:nowrap}\n"
".two{display:grid;grid-template-columns:minmax(0,1fr);gap:0 20px;align-items:start}\n"
"@media (min-width:1360px){.two{grid-template-columns:minmax(0,2fr) minmax(0,1fr)}}\n"
".two th .soft{font-weight:400}\n"
"table{width:100%;border-collapse:collapse;font-size:14.5px}\n"
"caption{text-align:left;color:var(--soft);padding:0 0 8px}\n"
"th,td{text-align:left;vertical-align:baseline;padding:8px 16px 8px 0;border-top:1px solid var(--hair)}\n"
"th:last-child,td:last-child{padding-right:0}\n"
"thead th{border-top:0;border-bottom:1px solid var(--line);font-size:13px;font-weight:600;color:var(--soft);"
"padding-top:0;white-space:nowrap}\n"
"thead th.num{text-align:right}tbody th{font-weight:600}\n"
"tbody:first-of-type tr:first-child>*{border-top:0}\n"
".proof td{border-top:0;padding-top:0;font-size:13.5px;color:var(--soft)}\n"
".f tr:first-child>*{padding-bottom:2px}.f th{width:12em;overflow-wrap:anywhere}\n"
"details>summary{cursor:pointer}\n"
".proof summary{overflow-wrap:anywhere}\n"
"dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:4px 18px;margin:0}\n"
"dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}\n"
".proof dl{margin:8px 0 10px;padding:12px 16px;background:var(--bg);border-radius:6px;color:var(--ink)}\n"
".seen{gap:10px 24px}.seen dt{font-weight:600;color:var(--ink)}.seen dd{color:var(--soft)}\n"
"@media (min-width:1360px),screen and (max-width:760px){.seen{grid-template-columns:minmax(0,1fr);gap:0}.seen dd{"
"margin:0 0 12px}.seen dd:last-child{margin-bottom:0}}\n"
".left{margin:16px 0 0}\n"
".bar{display:block;width:100%;height:14px;border-radius:7px;background:var(--hair);margin:0 0 12px}\n"
".verified{fill:var(--verified);background:var(--verified)}.owned{fill:var(--owned);background:var(--owned)}\n"
".database{fill:var(--database);background:var(--database)}.modified{fill:var(--modified);"
"background:var(--modified)}\n"
".stray{fill:var(--stray);background:var(--stray)}.skipped{fill:var(--skipped);background:var(--skipped)}\n"
".legend{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:4px 18px;font-size:14.5px}\n"
".legend li{display:flex;align-items:center;gap:7px}.legend i{width:11px;height:11px;border-radius:3px}\n"
".filter{display:flex;flex-wrap:wrap;gap:10px;margin:0 0 14px;font-size:14.5px}.filter[hidden]{display:none}\n"
".filter input,.filter select{font:inherit;color:inherit;background:var(--bg);border:1px solid var(--line);"
"border-radius:6px;padding:5px 10px}\n"
".filter input{flex:1 1 220px;max-width:420px;min-width:0}\n"
".big>summary{font-size:19px;font-weight:650;line-height:1.3}.big[open]>summary{margin-bottom:14px}\n"
".big>summary span{font-weight:400;color:var(--soft);font-size:15px;margin-left:6px}\n"
".more{margin:10px 0 0}.more>summary{color:var(--link);font-size:14.5px}\n"
".wrap>footer{padding:8px 0 48px;color:var(--soft);font-size:14px}footer p{margin:0 0 4px;overflow-wrap:anywhere}\n"
"@media screen and (max-width:760px){.wrap{padding:0 14px}header.wrap{padding-top:22px;padding-bottom:18px}h1{"
"font-size:25px}\n"
"section{padding:18px 16px;border-radius:8px}.tiles{grid-template-columns:repeat(3,minmax(0,1fr));gap:8px}\n"
".tiles li{padding:10px 12px}.tiles b{font-size:22px}.tiles span{font-size:13px}\n"
".verdict h2 span{display:block;margin:2px 0 0}.rules{grid-template-columns:auto minmax(0,1fr);gap:0 10px}\n"
".rules b,.rules span{grid-column:2}.rules .mark{grid-column:1}.rules li>:last-child{margin-bottom:8px}\n"
".tiles li:nth-child(7){grid-column:span 3}\n"
"table,tbody,tr,td,th{display:block}thead{position:absolute;width:1px;height:1px;overflow:hidden;"
"clip-path:inset(50%)}\n"
"tbody.f,tbody:not(.f) tr{padding:10px 0;border-top:1px solid var(--line)}\n"
"tbody.f:first-of-type,tbody:not(.f):first-of-type tr:first-child{border-top:0}\n"
"tr{display:flex;flex-wrap:wrap;gap:2px 12px;align-items:baseline}\n"
"td,th,.proof td{border:0;padding:0!important;overflow-wrap:anywhere;min-width:0;max-width:100%}\n"
"td:empty{display:none}.num{text-align:left}td[data-l]::before{content:attr(data-l) \" \";color:var(--soft)}\n"
".f th{width:auto}.proof td{flex-basis:100%}.proof dl{grid-template-columns:minmax(0,1fr);gap:0}.proof dd{"
"margin-bottom:6px}\n"
".wide{flex-basis:100%}dl:not(.seen){grid-template-columns:minmax(0,1fr);gap:0}dl:not(.seen) dd{margin-bottom:8px}}"
"\n"
"@page{margin:16mm 14mm}\n"
"@media print{:root{color-scheme:light;--bg:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--hair:#ddd;"
"--link:#000;--bad:#9b1429;--bad-bg:#fff;--warn:#6d4500;--warn-bg:#fff;--good:#17643a;--good-bg:#fff;"
"--critical:#931a30;--critical-ink:#fff;--high:#bf3f0c;--high-ink:#fff;--medium:#fdeec8;--medium-ink:#6d4500;"
"--low:#e3edf8;--low-ink:#1d4c7d;--unknown:#e9ebee;--unknown-ink:#454d56;--verified:#3b8f5f;--owned:#9cc9af;"
"--database:#8fb3da;--modified:#bf3f0c;--stray:#d8a534;--skipped:#8d939b}\n"
"body{font-size:10.5pt}.wrap{max-width:none;padding:0}header.wrap{padding:0 0 12px}h1{font-size:19pt}h2,"
".big>summary{font-size:13pt}\n"
"section{border:0;border-radius:0;padding:10px 0;margin:0 0 6px;border-top:1px solid var(--line)}\n"
".verdict,.verdict.denied{border-left:5px solid var(--good);padding:8px 14px;border-top:0}.verdict.denied{"
"border-left-color:var(--bad)}.rules{font-size:9pt;gap:2px 14px}\n"
".tiles{grid-template-columns:repeat(7,1fr);gap:6px}.two{display:block}dt{break-after:avoid}.tiles li{"
"padding:6px 10px;border-radius:4px}.tiles b{font-size:15pt}.tiles span{font-size:9pt}\n"
"table{font-size:9pt}th,td{padding:4px 10px 4px 0}.proof td{font-size:8.5pt}thead{display:table-header-group}\n"
".sev,i,.bar rect,.bar{-webkit-print-color-adjust:exact;print-color-adjust:exact}.sev{font-size:8.5pt}\n"
"tr,.tiles li,.rules,.legend,tbody.f{break-inside:avoid}h2,h3,summary{break-after:avoid}.filter{display:none}\n"
".big::details-content,.more::details-content{content-visibility:visible;block-size:auto}\n"
"summary{list-style:none}summary::-webkit-details-marker{display:none}.more>summary{color:var(--ink);"
"font-weight:600}}\n";

const char page_script[] =
"(function(){\"use strict\";var form=document.getElementById(\"filter\");if(!form)return;form.hidden=false;\n"
"var words=form.querySelector(\"input\"),least=form.querySelector(\"select\"),shown=form.querySelector(\"output\");"
"\n"
"var rows=[].slice.call(document.querySelectorAll(\"tbody.f\"));\n"
"var texts=rows.map(function(row){return row.textContent.toLowerCase();});\n"
"var order=[\"unknown\",\"none\",\"low\",\"medium\",\"high\",\"critical\"];\n"
"function apply(){var wanted=words.value.toLowerCase().split(/\\s+/),from=order.indexOf(least.value),n=0;\n"
"rows.forEach(function(row,i){var fits=order.indexOf(row.dataset.s)>=from&&wanted.every(function(word){"
"return texts[i].indexOf(word)>=0;});row.hidden=!fits;n+=fits;});\n"
"shown.textContent=n===rows.length?\"\":n+\" of \"+rows.length+\" shown\";}\n"
"form.addEventListener(\"input\",apply);form.addEventListener(\"submit\",function(e){e.preventDefault();});})();\n";
/* clang-format on */
