import logging
import os

import bleach
import markdown
from flask import Blueprint, abort, flash, redirect, render_template, request, send_from_directory, url_for
from flask_login import current_user, login_required, login_user
from markupsafe import Markup
from sqlalchemy import text
from werkzeug.utils import secure_filename

from notes import db, limiter
from notes.models import Note, User

log = logging.getLogger(__name__)
pages = Blueprint("pages", __name__)
UPLOADS = os.path.abspath("uploads")
TABLE = "note"
SEARCH = f"SELECT id, title FROM {TABLE} WHERE owner_id = :owner AND body LIKE :like LIMIT 50"
ALLOWED = {".png", ".jpg", ".pdf"}


@pages.route("/")
@login_required
def index():
    return render_template("index.html", notes=Note.query.filter_by(owner_id=current_user.id).all())


@pages.route("/note/<int:note_id>")
@login_required
def note(note_id):
    found = Note.query.filter_by(id=note_id, owner_id=current_user.id).first_or_404()
    html = bleach.clean(markdown.markdown(found.body), tags=["p", "ul", "li", "em", "strong", "a"])
    return render_template("note.html", note=found, body=Markup(html))


@pages.route("/search")
@login_required
def search():
    rows = db.session.execute(text(SEARCH), {"owner": current_user.id, "like": f"%{request.args.get('q', '')[:80]}%"})
    return render_template("index.html", notes=rows.all())


@pages.route("/attach/<int:note_id>", methods=["POST"])
@login_required
def attach(note_id):
    upload = request.files["file"]
    name = secure_filename(upload.filename)
    if os.path.splitext(name)[1].lower() not in ALLOWED:
        abort(400)
    upload.save(os.path.join(UPLOADS, name))
    return redirect(url_for("pages.note", note_id=note_id))


@pages.route("/files/<path:name>")
@login_required
def files(name):
    return send_from_directory(UPLOADS, name)


@pages.route("/login", methods=["GET", "POST"])
@limiter.limit("10/minute")
def login():
    if request.method == "POST":
        user = User.query.filter_by(email=request.form["email"]).first()
        if user and user.check_password(request.form["password"]):
            login_user(user)
            return redirect(url_for("pages.index"))
        log.info("Failed login for %s", request.form["email"])
        flash("Email or password is wrong")
    return render_template("login.html")


@pages.app_errorhandler(500)
def failed(error):
    log.error("Unhandled error", exc_info=error)
    return render_template("error.html", message="Something went wrong. We are looking at it."), 500
