/** What readers of text repeat their work for, each to be repeated itself. */
const words = (text: string) => text.split(/ ?¦ ?/);

/** By the kind of content that they stand in; `¦` parts them. */
export const FRAGMENTS = {
  markdown: [
    ...words(
      "[¦![¦[](¦[a](¦![a](b.png)¦[x](#y)¦[a][¦[^1]¦[[¦]¦*a ¦**a¦_a_¦*_¦~~¦<¦<!--¦<?¦" +
        "<![CDATA[¦<a ¦<a b=¦<a b='¦<a>¦</a>¦<b id=x>¦&¦&amp¦`¦``a¦`a``¦$¦$a¦$$¦$a ¦" +
        "\\begin{align}¦\\begin{matrix}a¦\\$¦\\¦http://a.b ¦(¦中¦\t¦a|¦|¦1¦1.e-",
    ),
    ..."> ;- ;1. ;# h\n;a|b\n-|-\n;---\n;===\n;a\n=\n;[a]: b\n;[a]:\n;```\n;$$\n;+ b$\n;$a\n+ ;a\n+ ;<div>\n;\n\n"
      .split(";"),
  ],
  html: words(
    "<svg ¦<svg¦<a ¦<a b=\"¦<a b='x'¦<!--¦<!doctype¦<?xml¦<![CDATA[¦</a>¦<b>¦" +
      "<b></b>¦<table>¦<p>¦<style>¦<script>¦<title>¦<textarea>¦&amp;¦&#¦<¦" +
      "<use href='#a'>¦<g id=a>¦<g id=a fill=url(#a)>¦<p style='a:b'>¦<p style=a>¦" +
      '<p a="\\">¦<img src=a.png>¦<svg><title>¦<a href=#a>x</a>¦<a:use ¦url(¦' +
      "data:image/svg+xml,¦<image href='data:image/svg+xml,<svg/>'/>¦1¦1.e-",
  ),
  css: words(
    "a{¦a{b:c}¦(¦[¦a(¦a:b(¦url(¦\"¦'¦/*¦@media ¦@media{¦@a;¦!¦a!important;¦a,¦" +
      ":is(¦a>¦\\¦&{¦;¦}¦{¦{}¦a:b;¦--a:{¦--a:(¦<!--¦-->¦#¦u+1¦1e¦" +
      "a:nth-child(¦@scope(¦calc(1+",
  ),
  terminal: words(
    "\x1b[10000C x¦\x1b[10000Cx\n¦\x1b[1J¦\x1b[2J¦\x1b[J¦\x1b[1K¦\x1b[A¦\n\x1b[A¦" +
      "x\x1b[31mx\x1b[32m¦\x1b]¦\x1b]8;;http://a¦\x1b]8;;http://a\x07x¦\r¦a\r¦\b¦\x1b¦" +
      "\x1b[¦\x1b[1;¦\x1b[38;2;1;2;3mx¦\x1b[9999;9999Hx¦\x1b[1;1Hx\n\n¦a¦\n¦" +
      "\n\x1b[1J¦\t¦\x1b[?25l¦\x00",
  ),
  code: words(
    "x¦x ¦\"¦'¦`¦${¦`${¦(¦[¦{¦<¦<a¦/¦//¦/*¦a.¦a.b(¦f(a,¦=>¦a=>¦x=¦const a=¦?¦:¦" +
      "a?b:¦\n¦\\¦@¦#¦!¦async ¦class A{¦type A=¦<T,¦a<b>(¦0¦0x¦1e¦/a/¦`a${b}`¦中¦" +
      "let x: y = [¦a:\n",
  ),
  latex: words(
    "\\frac{¦x^{¦\\left(¦\\sqrt{¦{¦}¦\\begin{matrix}¦&¦\\\\¦\\def\\a{\\a\\a}\\a¦\\hat ¦" +
      "\\text{¦x_¦$¦\\color{red}¦\\over ¦\\bigl¦\\operatorname{¦'¦\\cfrac{1}{¦%¦" +
      "\\xrightarrow{",
  ),
  csv: [...words('a,¦"¦"a",¦a¦""¦\''), "\n", "a\n", "a,b\n", "\t"],
};
