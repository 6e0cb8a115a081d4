"""How the hotline is run: open or closed, and with which menus."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("desk", "0002_roles"),)

    operations = [
        migrations.CreateModel(
            name="Operation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "open",
                    models.BooleanField(
                        default=True,
                        help_text="关闭时，来电人听到暂未开通的提示，不进入菜单。",
                        verbose_name="电话语音查询开通",
                    ),
                ),
                (
                    "dialog",
                    models.CharField(
                        blank=True,
                        choices=[("", "按设置文件"), ("city.yaml", "市级流程"), ("guideline.yaml", "导则推定流程")],
                        max_length=40,
                        verbose_name="菜单流程",
                    ),
                ),
            ],
            options={
                "verbose_name": "运行方式",
                "verbose_name_plural": "运行方式",
            },
        ),
    ]
