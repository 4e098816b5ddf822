// A page that is served asks whether there is a newer one, and loads again if so; what is typed right now is waited for.
const pauseMs = 1000;
const place = document.getElementById("live");

function say(text) {
  if (place.textContent !== text) place.textContent = text;
}

function isTyping() {
  return document.activeElement?.matches("input, select, textarea") ?? false;
}

async function look() {
  if (!document.hidden) {
    try {
      const answer = await fetch("/version", { cache: "no-store" });
      const { edition, note } = await answer.json();
      if (edition === document.documentElement.dataset.edition) say(note);
      else if (isTyping()) say("There is a newer report; it is shown once you leave the field.");
      else return location.reload();
    } catch {
      say("The server of this page has ended, so the page is no longer updated.");
    }
  }
  setTimeout(look, pauseMs);
}

look();
