/* The look of figures and care, which nobody needs before one of their pages is opened. */
import text from '../style/figures.css' with { type: 'text' };

const sheet = new CSSStyleSheet();
sheet.replaceSync(text);
document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
