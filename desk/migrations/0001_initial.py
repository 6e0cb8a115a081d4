"""The tables as first released."""

import uuid

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from ..models import audio_name, playable


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_index=True, verbose_name="时间")),
                ("username", models.CharField(db_index=True, max_length=150, verbose_name="操作人")),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("see_vote", "查看投票人"),
                            ("see_message", "查看留言人"),
                            ("find_person", "按证件号码查找"),
                            ("issue_pin", "发放查询密码"),
                            ("unlock_pin", "解锁查询密码"),
                        ],
                        max_length=16,
                        verbose_name="操作",
                    ),
                ),
                ("subject", models.CharField(max_length=80, verbose_name="对象")),
                ("reason", models.CharField(max_length=200, verbose_name="理由")),
            ],
            options={
                "verbose_name": "审计记录",
                "verbose_name_plural": "审计记录",
                "ordering": ("-at", "-pk"),
            },
        ),
        migrations.CreateModel(
            name="Branch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, unique=True, verbose_name="名称")),
                ("address", models.CharField(max_length=200, verbose_name="地址")),
                ("service_phone", models.CharField(blank=True, max_length=32, verbose_name="服务电话")),
                ("complaint_phone", models.CharField(blank=True, max_length=32, verbose_name="投诉电话")),
                ("hours", models.CharField(blank=True, max_length=100, verbose_name="营业时间")),
                ("order", models.PositiveSmallIntegerField(default=1, verbose_name="播报顺序")),
                ("enabled", models.BooleanField(default=True, verbose_name="启用")),
            ],
            options={
                "verbose_name": "业务网点",
                "verbose_name_plural": "业务网点",
                "ordering": ("order", "name"),
            },
        ),
        migrations.CreateModel(
            name="Call",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="通话编号"
                    ),
                ),
                ("machine", models.CharField(blank=True, max_length=64, verbose_name="机器")),
                ("line", models.CharField(db_index=True, max_length=40, verbose_name="线路")),
                ("caller_number", models.CharField(blank=True, db_index=True, max_length=32, verbose_name="来电号码")),
                ("started_at", models.DateTimeField(db_index=True, verbose_name="来电时间")),
                ("answered_at", models.DateTimeField(blank=True, null=True, verbose_name="接听时间")),
                ("ended_at", models.DateTimeField(blank=True, db_index=True, null=True, verbose_name="结束时间")),
                ("cause", models.CharField(blank=True, max_length=32, verbose_name="结束原因")),
                ("last_node", models.CharField(blank=True, max_length=80, verbose_name="最后环节")),
            ],
            options={
                "verbose_name": "通话",
                "verbose_name_plural": "通话记录",
                "ordering": ("-started_at",),
            },
        ),
        migrations.CreateModel(
            name="DailyNumber",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False, verbose_name="日期")),
                ("last", models.PositiveIntegerField(default=0, verbose_name="已用序号")),
            ],
            options={
                "verbose_name": "工单序号",
                "verbose_name_plural": "工单序号",
            },
        ),
        migrations.CreateModel(
            name="PromptText",
            fields=[
                (
                    "key",
                    models.CharField(
                        max_length=60,
                        primary_key=True,
                        serialize=False,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Za-z0-9_.-]+$", "只能用字母、数字、点、横线和下划线"
                            )
                        ],
                        verbose_name="提示音",
                    ),
                ),
                ("shipped", models.TextField(blank=True, editable=False, verbose_name="出厂文字")),
                (
                    "text",
                    models.TextField(
                        blank=True, help_text="留空则使用出厂文字", max_length=2000, verbose_name="本中心文字"
                    ),
                ),
                (
                    "audio",
                    models.FileField(
                        blank=True,
                        help_text="wav、mp3、flac 或 ogg；有录音时播放录音",
                        upload_to=audio_name,
                        validators=[
                            django.core.validators.FileExtensionValidator(["wav", "mp3", "flac", "ogg"]),
                            playable,
                        ],
                        verbose_name="本中心录音",
                    ),
                ),
                (
                    "changed_at",
                    models.DateTimeField(blank=True, db_index=True, editable=False, null=True, verbose_name="修改时间"),
                ),
            ],
            options={
                "verbose_name": "提示音",
                "verbose_name_plural": "提示音",
                "ordering": ("key",),
            },
        ),
        migrations.CreateModel(
            name="Failure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("scope", models.CharField(max_length=8)),
                ("subject", models.CharField(max_length=64)),
                ("day", models.DateField()),
                ("count", models.PositiveIntegerField(default=0)),
            ],
            options={
                "verbose_name": "密码错误计数",
                "verbose_name_plural": "密码错误计数",
                "constraints": [models.UniqueConstraint(fields=("scope", "subject", "day"), name="failure_once")],
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id_sealed", models.TextField(blank=True, editable=False, verbose_name="证件号码（密封）")),
                (
                    "id_hash",
                    models.CharField(
                        blank=True, db_index=True, editable=False, max_length=64, verbose_name="证件号码（查找用）"
                    ),
                ),
                ("id_mask", models.CharField(blank=True, editable=False, max_length=24, verbose_name="证件号码")),
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name="编号"
                    ),
                ),
                ("number", models.CharField(max_length=16, unique=True, verbose_name="工单号")),
                (
                    "kind",
                    models.CharField(
                        choices=[("complaint", "投诉"), ("suggestion", "建议"), ("unknown", "来历不明的录音")],
                        max_length=16,
                        verbose_name="类型",
                    ),
                ),
                ("caller_number", models.CharField(blank=True, max_length=32, verbose_name="来电号码")),
                ("path", models.CharField(max_length=200, unique=True, verbose_name="录音文件")),
                ("at", models.DateTimeField(db_index=True, verbose_name="受理时间")),
                ("seconds", models.DecimalField(decimal_places=1, default=0, max_digits=7, verbose_name="时长（秒）")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("recording", "录音中"),
                            ("kept", "已保存"),
                            ("too_short", "过短未保存"),
                            ("repaired", "中断后修复"),
                        ],
                        default="recording",
                        max_length=16,
                        verbose_name="状态",
                    ),
                ),
                ("note", models.TextField(blank=True, verbose_name="处理备注")),
                (
                    "call",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="desk.call",
                        verbose_name="通话",
                    ),
                ),
            ],
            options={
                "verbose_name": "投诉建议",
                "verbose_name_plural": "投诉建议工单",
                "ordering": ("-at",),
                "permissions": (("listen_message", "可收听录音"),),
            },
        ),
        migrations.CreateModel(
            name="Pin",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("id_number", "身份证号"),
                            ("account_number", "个人公积金账号"),
                            ("card_number", "联名卡卡号"),
                            ("unit", "单位公积金账号"),
                        ],
                        max_length=16,
                        verbose_name="登录方式",
                    ),
                ),
                ("login_hash", models.CharField(editable=False, max_length=64)),
                ("pin_hash", models.CharField(editable=False, max_length=200)),
                ("must_change", models.BooleanField(default=False, verbose_name="首次使用须修改")),
                ("updated_at", models.DateTimeField(verbose_name="更新时间")),
                ("updated_by", models.CharField(max_length=150, verbose_name="办理人")),
            ],
            options={
                "verbose_name": "查询密码",
                "verbose_name_plural": "查询密码",
                "permissions": (("issue_pin", "可发放、解锁查询密码"),),
                "constraints": [models.UniqueConstraint(fields=("kind", "login_hash"), name="pin_once")],
            },
        ),
        migrations.CreateModel(
            name="Version",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject", models.CharField(max_length=80, verbose_name="内容")),
                ("at", models.DateTimeField(verbose_name="修改时间")),
                ("by", models.CharField(max_length=150, verbose_name="修改人")),
                ("fields", models.JSONField(verbose_name="各栏内容")),
            ],
            options={
                "verbose_name": "历史版本",
                "verbose_name_plural": "历史版本",
                "ordering": ("-at", "-pk"),
                "indexes": [models.Index(fields=["subject", "-at"], name="version_subject")],
            },
        ),
        migrations.CreateModel(
            name="PolicyText",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("policy", "政策"), ("procedure", "办理流程")], max_length=16, verbose_name="种类"
                    ),
                ),
                (
                    "category",
                    models.CharField(
                        choices=[("deposit", "缴存"), ("withdrawal", "提取"), ("loan", "贷款")],
                        max_length=16,
                        verbose_name="业务",
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        max_length=1,
                        validators=[django.core.validators.RegexValidator("^[1-9]$", "按键只能是 1–9")],
                        verbose_name="按键",
                    ),
                ),
                ("title", models.CharField(max_length=40, verbose_name="标题")),
                ("text", models.TextField(blank=True, max_length=2000, verbose_name="播报内容")),
                ("enabled", models.BooleanField(default=True, verbose_name="启用")),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="desk.policytext",
                        verbose_name="上级",
                    ),
                ),
            ],
            options={
                "verbose_name": "政策流程",
                "verbose_name_plural": "政策和办理流程",
                "ordering": ("kind", "parent_id", "key"),
                "constraints": [
                    models.UniqueConstraint(fields=("parent", "key"), name="policy_key_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("parent", None)), fields=("kind", "key"), name="policy_top_key_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Step",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seq", models.PositiveIntegerField(verbose_name="序号")),
                ("at", models.DateTimeField(verbose_name="时间")),
                ("node", models.CharField(max_length=80, verbose_name="环节")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("prompt", "播放"),
                            ("key", "按键"),
                            ("secret", "密码"),
                            ("service", "查询"),
                            ("outcome", "结果"),
                            ("record", "录音"),
                            ("note", "说明"),
                        ],
                        max_length=16,
                        verbose_name="类型",
                    ),
                ),
                ("detail", models.CharField(blank=True, max_length=400, verbose_name="内容")),
                (
                    "call",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="steps",
                        to="desk.call",
                        verbose_name="通话",
                    ),
                ),
            ],
            options={
                "verbose_name": "步骤",
                "verbose_name_plural": "通话步骤",
                "ordering": ("call", "seq"),
                "constraints": [models.UniqueConstraint(fields=("call", "seq"), name="step_once")],
            },
        ),
        migrations.CreateModel(
            name="Vote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("id_sealed", models.TextField(blank=True, editable=False, verbose_name="证件号码（密封）")),
                (
                    "id_hash",
                    models.CharField(
                        blank=True, db_index=True, editable=False, max_length=64, verbose_name="证件号码（查找用）"
                    ),
                ),
                ("id_mask", models.CharField(blank=True, editable=False, max_length=24, verbose_name="证件号码")),
                ("line", models.CharField(db_index=True, max_length=40, verbose_name="线路")),
                (
                    "option",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "非常满意"), (2, "满意"), (3, "一般"), (4, "不满意"), (5, "非常不满意")],
                        verbose_name="评价",
                    ),
                ),
                ("at", models.DateTimeField(db_index=True, verbose_name="投票时间")),
                (
                    "call",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="vote",
                        to="desk.call",
                        verbose_name="通话",
                    ),
                ),
            ],
            options={
                "verbose_name": "投票",
                "verbose_name_plural": "满意度投票",
                "ordering": ("-at",),
                "permissions": (("see_voter", "可查看投票人和留言人的证件号码"), ("see_statistics", "可查看统计")),
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("option__range", (1, 5))), name="vote_option")
                ],
            },
        ),
    ]
