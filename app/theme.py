"""How the editor looks: dark, neutral, one accent."""

from __future__ import annotations

from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

GROUND = "#1b1b1b"
"""Behind the picture."""
WINDOW = "#262626"
PANEL = "#2d2d2d"
RAISED = "#3a3a3a"
LINE = "#141414"
TEXT = "#d8d8d8"
FAINT = "#8f8f8f"
ACCENT = "#4c9be8"
GOOD = "#6fbf73"
WARNING = "#e0a84a"
BAD = "#e0665c"


def apply_theme(app: QApplication) -> None:
    """Give the whole application the dark look."""
    app.setStyle("Fusion")
    app.setPalette(_palette())
    app.setStyleSheet(_STYLE)


def _palette() -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for where, color in (
        (role.Window, WINDOW),
        (role.WindowText, TEXT),
        (role.Base, GROUND),
        (role.AlternateBase, PANEL),
        (role.Text, TEXT),
        (role.PlaceholderText, FAINT),
        (role.Button, RAISED),
        (role.ButtonText, TEXT),
        (role.BrightText, BAD),
        (role.ToolTipBase, PANEL),
        (role.ToolTipText, TEXT),
        (role.Highlight, ACCENT),
        (role.HighlightedText, "#ffffff"),
        (role.Link, ACCENT),
        (role.Light, "#4a4a4a"),
        (role.Midlight, "#404040"),
        (role.Mid, "#202020"),
        (role.Dark, "#181818"),
        (role.Shadow, "#101010"),
    ):
        palette.setColor(where, QColor(color))
    for where in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, where, QColor("#6a6a6a"))
    palette.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(RAISED))
    return palette


_STYLE = f"""
QToolTip {{ color: {TEXT}; background: {PANEL}; border: 1px solid {LINE}; padding: 3px 5px; }}
QMenuBar {{ background: {WINDOW}; }}
QMenuBar::item {{ padding: 4px 9px; background: transparent; }}
QMenuBar::item:selected {{ background: {RAISED}; }}
QMenu {{ background: {PANEL}; border: 1px solid {LINE}; padding: 4px 0; }}
QMenu::item {{ padding: 4px 26px 4px 26px; }}
QMenu::item:selected {{ background: {ACCENT}; color: white; }}
QMenu::item:disabled {{ color: #6a6a6a; background: transparent; }}
QMenu::separator {{ height: 1px; background: {LINE}; margin: 4px 0; }}
QMenu::icon {{ padding-left: 6px; }}
QToolBar {{ background: {WINDOW}; border: none; spacing: 2px; padding: 3px 6px; }}
QToolBar::separator {{ background: {RAISED}; width: 1px; margin: 4px 6px; }}
QToolButton {{ border: 1px solid transparent; border-radius: 4px; padding: 4px; }}
QToolButton:hover {{ background: {RAISED}; }}
QToolButton:pressed {{ background: {LINE}; }}
QToolButton:checked {{ background: {RAISED}; border-color: {ACCENT}; }}
QToolButton:focus, QPushButton:focus {{ border-color: {ACCENT}; }}
QPushButton {{ background: {RAISED}; border: 1px solid {LINE}; border-radius: 4px; padding: 5px 12px; }}
QPushButton:hover {{ background: #454545; }}
QPushButton:pressed {{ background: {LINE}; }}
QPushButton:disabled {{ color: #6a6a6a; background: #303030; }}
QPushButton:default {{ background: #2f6ea8; border-color: {ACCENT}; color: white; }}
QPushButton:default:hover {{ background: #377fc1; }}
QPushButton:default:disabled {{ background: #303030; border-color: {LINE}; color: #6a6a6a; }}
QLineEdit, QComboBox, QSpinBox, QDoubleSpinBox {{
    background: {GROUND}; border: 1px solid {LINE}; border-radius: 4px; padding: 4px 6px;
    selection-background-color: {ACCENT};
}}
QLineEdit:focus, QComboBox:focus, QSpinBox:focus, QDoubleSpinBox:focus {{ border-color: {ACCENT}; }}
QComboBox QAbstractItemView {{ background: {PANEL}; border: 1px solid {LINE}; selection-background-color: {ACCENT}; }}
QStatusBar {{ background: {WINDOW}; color: {FAINT}; }}
QStatusBar::item {{ border: none; }}
QSplitter::handle {{ background: {LINE}; }}
QScrollBar {{ background: {WINDOW}; border: none; }}
QScrollBar:vertical {{ width: 10px; }}
QScrollBar:horizontal {{ height: 10px; }}
QScrollBar::handle {{ background: {RAISED}; border-radius: 4px; min-height: 24px; min-width: 24px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: none; }}
QProgressBar {{ background: {GROUND}; border: 1px solid {LINE}; border-radius: 3px; text-align: center; }}
QProgressBar::chunk {{ background: {ACCENT}; border-radius: 2px; }}
"""
