// What stands between the page and the display: a question of the login to its node, or trouble on the way.

import { QuestionBox } from './question.js';

export class Way {
  /** @param {() => void} ask sends a heartbeat now */
  constructor(ask) {
    this.ask = ask;
    /** Why the display is not reached, in the server's words. @type {import("../types").Trouble | null} */
    this.trouble = null;
    /** Whether the next heartbeat asks for another try: who opens this page wants the display now. */
    this.again = true;
    /** What the next heartbeat answers. @type {import("../types").QuestionAnswer | undefined} */
    this.reply = undefined;
    this.question = new QuestionBox(reply => {
      this.reply = reply;
      ask();
    });
  }

  /** Whether the user is asked something: until it is answered, no connection can be had. */
  get asking() {
    return this.question.asking;
  }

  /** @param {import("../types").Answer} answer */
  hear({ question, trouble }) {
    this.trouble = trouble;
    this.question.show(question);
  }

  /** What a heartbeat says of it, once. */
  beat() {
    const { again, reply: answer } = this;
    this.again = false;
    this.reply = undefined;
    return { again, answer };
  }

  tryAgain() {
    this.again = true;
    this.trouble = null;
    this.ask();
  }
}
