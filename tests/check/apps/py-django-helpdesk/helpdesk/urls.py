from django.contrib import admin
from django.urls import path

from tickets import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", views.index, name="index"),
    path("search/", views.search),
    path("report/", views.report),
    path("tickets/<int:pk>/", views.detail, name="detail"),
    path("tickets/<int:pk>/suggest/", views.suggest),
    path("tickets/<int:pk>/draft/", views.DraftView.as_view()),
    path("chat/", views.chat),
    path("avatar/", views.avatar),
]
