import json

import requests
from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db import connection
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from .ai import answer_chat, draft_reply
from .models import Ticket


def index(request):
    return render(request, "tickets/index.html", {"tickets": Ticket.objects.all()[:50]})


@login_required
def search(request):
    term = request.GET.get("q", "")
    tickets = Ticket.objects.raw("SELECT * FROM tickets_ticket WHERE title ILIKE '%%" + term + "%%'")
    return render(request, "tickets/index.html", {"tickets": tickets})


@login_required
def report(request):
    with connection.cursor() as cursor:
        cursor.execute("SELECT status, COUNT(*) FROM tickets_ticket WHERE owner_id = %s GROUP BY status", [request.user.id])
        by_status = cursor.fetchall()
        cursor.execute(f"SELECT COUNT(*) FROM tickets_ticket WHERE team = '{request.GET['team']}'")
        total = cursor.fetchone()[0]
    return JsonResponse({"by_status": by_status, "total": total})


def detail(request, pk):
    ticket = get_object_or_404(Ticket, pk=pk)
    title = format_html("<b>{}</b>", ticket.title)
    return render(request, "tickets/detail.html", {"ticket": ticket, "title": title})


@login_required
@require_POST
def suggest(request, pk):
    ticket = get_object_or_404(Ticket, pk=pk)
    html = draft_reply(ticket.body[:4000])
    return render(request, "tickets/detail.html", {"ticket": ticket, "reply": mark_safe(html)})


class DraftView(LoginRequiredMixin, View):
    def post(self, request, pk):
        ticket = get_object_or_404(Ticket, pk=pk)
        return JsonResponse({"draft": draft_reply(ticket.body[:4000])})


@csrf_exempt
def chat(request):
    data = json.loads(request.body)
    try:
        return JsonResponse({"answer": answer_chat(data["messages"])})
    except Exception as error:
        return JsonResponse({"error": repr(error)}, status=500)


def avatar(request):
    url = request.GET.get("src")
    picture = requests.get(url, timeout=5)
    return HttpResponse(picture.content, content_type="image/png")
