/** What tests share. @module */
export {}
