import{k as a,l as b}from"./chunk-D5CIGCHH.js";export{b as createEditor,a as theme};
